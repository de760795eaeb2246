(* The stated point, a multiple of the identity for A and g Y for G: no slope is left, and the residual's singular
   values, sqrt n |a g - 1|, are at most lam, where the convex bound of the loss is tight. *)

Definition scale (n lam : R) := sqrt (Rmax (sqrt n - lam) 0).
Definition output (n lam : R) := scale n lam / sqrt n.
Definition best (n lam g : R) := n * g / (n * g ^ 2 + lam).

Theorem stated_point : forall n lam : R, 0 < n -> 0 < lam ->
  let g := output n lam in
  let a := best n lam g in
  n * a * (a * g - 1) + lam * n * g = 0 /\ sqrt n * Rabs (a * g - 1) <= lam.
Proof.
  intros n lam positive_n positive_lam; cbv zeta; unfold best, output, scale.
  pose proof (sqrt_lt_R0 n positive_n) as root; pose proof (sqrt_sqrt n ltac:(lra)) as square.
  set (w := sqrt n) in *; rewrite <- square; destruct (Rle_lt_dec w lam) as [strong | weak].
  - rewrite Rmax_right, sqrt_0 by lra.
    replace (0 / w) with 0 by (field; lra); rewrite Rmult_0_r; unfold Rdiv; rewrite !Rmult_0_l, !Rmult_0_r.
    rewrite Rminus_0_l, Rabs_Ropp, Rabs_R1; split; lra.
  - rewrite Rmax_left by lra; pose proof (sqrt_sqrt (w - lam) ltac:(lra)) as is_scale.
    pose proof (sqrt_lt_R0 (w - lam) ltac:(lra)) as positive_s; set (s := sqrt (w - lam)) in *.
    assert (below : w * w * (s / w) ^ 2 + lam = w) by (field_simplify; [nra | lra]).
    rewrite below.
    assert (difference : w * w * (s / w) / w * (s / w) - 1 = - (lam / w)).
    { replace (w * w * (s / w) / w * (s / w)) with (s * s / w) by (field; lra); rewrite is_scale; field; lra. }
    rewrite difference; split; [field; lra |].
    rewrite Rabs_Ropp, Rabs_pos_eq by (apply Rlt_le, Rdiv_lt_0_compat; lra).
    apply Req_le; field; lra.
Qed.
