(* The bound on a layer's factor, for the ratios x = lam_k / lam_map and c = (lam_map + lam_k) / n: it is theta times
   the largest of three expressions, which docs/deep_rfm_convergence.md derives. The main part is 1 where c <= 1,
   main c where c >= 1. *)

Definition theta (x c : R) := x / (1 + x + c).
Definition tilt (x : R) := x / (2 + x).
Definition main (c : R) := 2 * c / (1 + c).
Definition lowest (x c : R) := ((1 + c) / (1 + c + x)) ^ 2.
Definition highest (x c : R) := (1 + x * c / (1 + x + c)) ^ 2.
Definition response (x c : R) := c / (c + lowest x c).

Definition whole (lead x c : R) := lead + (1 - theta x c) * response x c * tilt x.

Definition in_range (x c moved : R) :=
  main c * moved / (c + lowest x c) + theta x c * response x c ^ 2 * moved * (1 + tilt x ^ 2)
  + main c * tilt x + 2 * response x c * tilt x ^ 2.

Definition below (lead x c : R) := whole lead x c + in_range x c (1 - lowest x c).
Definition above (lead x c : R) := whole lead x c + in_range x c (highest x c - 1).
Definition rest (lead least x c : R) := whole lead x c + (2 - theta x c - least) * tilt x.

Definition factor (x c : R) :=
  let lead := Rmax 1 (main c) in
  theta x c * Rmax (Rmax (below lead x c) (above lead x c)) (rest lead (Rmin 1 (main c)) x c).

(* At x = 1 / p and c = a / b each of them has one of these denominators. *)

Definition sum_of_ratios (p a b : R) := p * b + b + a * p.
Definition at_lowest (p a b : R) := a * sum_of_ratios p a b ^ 2 + b * p ^ 2 * (a + b) ^ 2.

Section Denominators.

Variables p a b : R.
Hypothesis positive_p : 0 < p.
Hypothesis positive_b : 0 < b.
Hypothesis sign_a : 0 <= a.

Let x := 1 / p.
Let c := a / b.
Let s := sum_of_ratios p a b.
Let e := at_lowest p a b.

Lemma sum_positive : 0 < s.
Proof. unfold s, sum_of_ratios; nra. Qed.

Lemma lowest_positive : 0 < e.
Proof.
  assert (0 <= a * s ^ 2) by (apply Rmult_le_pos; [exact sign_a | apply pow2_ge_0]).
  assert (0 < b * p ^ 2 * (a + b) ^ 2) by (repeat apply Rmult_lt_0_compat; try apply pow_lt; lra).
  unfold e, at_lowest; fold s; lra.
Qed.

Lemma theta_is : theta x c = b / s.
Proof.
  pose proof sum_positive; unfold theta, x, c; replace (1 + 1 / p + a / b) with (s / (p * b)); [field; lra |].
  unfold s, sum_of_ratios; field; lra.
Qed.

Lemma tilt_is : tilt x = 1 / (2 * p + 1).
Proof. unfold tilt, x; field; lra. Qed.

Lemma main_is : main c = 2 * a / (a + b).
Proof. unfold main, c; field; lra. Qed.

Lemma lowest_is : lowest x c = p ^ 2 * (a + b) ^ 2 / s ^ 2.
Proof.
  pose proof sum_positive; unfold lowest, x, c; replace (1 + a / b + 1 / p) with (s / (p * b)); [field; lra |].
  unfold s, sum_of_ratios; field; lra.
Qed.

Lemma beyond_lowest : c + lowest x c = e / (b * s ^ 2).
Proof. pose proof sum_positive; rewrite lowest_is; unfold c, e, at_lowest; fold s; field; lra. Qed.

Lemma response_is : response x c = a * s ^ 2 / e.
Proof.
  pose proof sum_positive; pose proof lowest_positive; unfold response; rewrite beyond_lowest; unfold c; field; lra.
Qed.

Lemma highest_is : highest x c = (s + a) ^ 2 / s ^ 2.
Proof.
  pose proof sum_positive; unfold highest, x, c; replace (1 + 1 / p + a / b) with (s / (p * b)); [field; lra |].
  unfold s, sum_of_ratios; field; lra.
Qed.

Lemma bound_is : 1 + x + c = s / (p * b).
Proof. unfold x, c, s, sum_of_ratios; field; lra. Qed.

(* What is left of the bound, over its denominator, without the main part *)

Definition left_in_range (p a b moved : R) :=
  let s := sum_of_ratios p a b in let e := at_lowest p a b in let t := 2 * p + 1 in let w := a + b in
  s * w * e ^ 2 * t ^ 2
  - p * b * w * ((s - b) * a * s * e * t + a ^ 2 * b * s * moved * (t ^ 2 + 1) + 2 * a * s ^ 2 * e)
  - 2 * a * b * p * b * moved * e * t ^ 2 - 2 * a * p * b * e ^ 2 * t.

Definition left_beside (p a b : R) :=
  let s := sum_of_ratios p a b in let e := at_lowest p a b in let t := 2 * p + 1 in let w := a + b in
  s ^ 2 * w * t * e - p * b * w * ((s - b) * a * s ^ 2 + (2 * s - b) * e).

Lemma in_range_left : forall lead moved, 1 + x + c - (whole lead x c + in_range x c (moved / s ^ 2))
  = left_in_range p a b moved / (p * b * (a + b) * e ^ 2 * (2 * p + 1) ^ 2) - lead.
Proof.
  intros lead moved; pose proof sum_positive as positive_s; pose proof lowest_positive as positive_e.
  unfold whole, in_range; rewrite bound_is, theta_is, tilt_is, main_is, beyond_lowest, response_is.
  unfold left_in_range; fold s e; generalize dependent e; generalize dependent s; intros; field; lra.
Qed.

Lemma beside_left : forall lead least, 1 + x + c - rest lead least x c
  = left_beside p a b / (p * b * (a + b) * s * e * (2 * p + 1)) - lead + least / (2 * p + 1).
Proof.
  intros lead least; pose proof sum_positive as positive_s; pose proof lowest_positive as positive_e.
  unfold rest, whole; rewrite bound_is, theta_is, tilt_is, response_is.
  unfold left_beside; fold s e; generalize dependent e; generalize dependent s; intros; field; lra.
Qed.

Lemma in_range_bound : forall lead moved,
  0 < left_in_range p a b moved - lead * (p * b * (a + b) * e ^ 2 * (2 * p + 1) ^ 2) ->
  whole lead x c + in_range x c (moved / s ^ 2) < 1 + x + c.
Proof.
  intros lead moved certified; pose proof lowest_positive as positive_e.
  assert (denominator : 0 < p * b * (a + b) * e ^ 2 * (2 * p + 1) ^ 2).
  { repeat apply Rmult_lt_0_compat; try apply pow_lt; lra. }
  apply Rminus_gt_0_lt; rewrite in_range_left; unfold Rgt.
  replace (_ / _ - lead) with ((left_in_range p a b moved - lead * (p * b * (a + b) * e ^ 2 * (2 * p + 1) ^ 2))
    / (p * b * (a + b) * e ^ 2 * (2 * p + 1) ^ 2)) by (field; lra).
  apply Rdiv_lt_0_compat; assumption.
Qed.

Lemma beside_bound : forall lead least,
  0 < left_beside p a b - (lead * (2 * p + 1) - least) * (p * b * (a + b) * s * e) -> rest lead least x c < 1 + x + c.
Proof.
  intros lead least certified; pose proof sum_positive as positive_s; pose proof lowest_positive as positive_e.
  assert (denominator : 0 < p * b * (a + b) * s * e * (2 * p + 1)) by (repeat apply Rmult_lt_0_compat; lra).
  apply Rminus_gt_0_lt; rewrite beside_left; unfold Rgt.
  replace (_ / _ - lead + _) with ((left_beside p a b - (lead * (2 * p + 1) - least) * (p * b * (a + b) * s * e))
    / (p * b * (a + b) * s * e * (2 * p + 1))) by (field; lra).
  apply Rdiv_lt_0_compat; assumption.
Qed.

Lemma moved_below : 1 - lowest x c = (s ^ 2 - p ^ 2 * (a + b) ^ 2) / s ^ 2.
Proof. pose proof sum_positive; rewrite lowest_is; field; lra. Qed.

Lemma moved_above : highest x c - 1 = ((s + a) ^ 2 - s ^ 2) / s ^ 2.
Proof. pose proof sum_positive; rewrite highest_is; field; lra. Qed.

End Denominators.

(* The numerators are the certified polynomials. *)

Ltac numerator certified :=
  match type of certified with
  | 0 < ?polynomial => match goal with
    | |- 0 < ?left => replace left with polynomial; [exact certified |]
    end
  end;
  unfold left_in_range, left_beside, at_lowest, sum_of_ratios; field; lra.

Lemma many_samples : forall u v, 0 <= u -> 0 <= v ->
  let x := 1 / (1 + u) in let c := v / (1 + v) in
  below 1 x c < 1 + x + c /\ above 1 x c < 1 + x + c /\ rest 1 (main c) x c < 1 + x + c.
Proof.
  intros u v bound_u bound_v; cbv zeta; unfold below, above.
  rewrite moved_below, moved_above, main_is by lra; repeat split.
  - apply in_range_bound; try lra; pose proof (certificate_1 u v bound_u bound_v) as certified; numerator certified.
  - apply in_range_bound; try lra; pose proof (certificate_3 u v bound_u bound_v) as certified; numerator certified.
  - apply beside_bound; try lra; pose proof (certificate_5 u v bound_u bound_v) as certified; numerator certified.
Qed.

Lemma few_samples : forall u v, 0 <= u -> 0 <= v ->
  let x := 1 / (1 + u) in let c := (1 + v) / 1 in
  below (main c) x c < 1 + x + c /\ above (main c) x c < 1 + x + c /\ rest (main c) 1 x c < 1 + x + c.
Proof.
  intros u v bound_u bound_v; cbv zeta; unfold below, above.
  rewrite moved_below, moved_above, main_is by lra; repeat split.
  - apply in_range_bound; try lra; pose proof (certificate_7 u v bound_u bound_v) as certified; numerator certified.
  - apply in_range_bound; try lra; pose proof (certificate_9 u v bound_u bound_v) as certified; numerator certified.
  - apply beside_bound; try lra; pose proof (certificate_11 u v bound_u bound_v) as certified; numerator certified.
Qed.

(* A layer's factor is below x, so below lam_k / lam_map, whatever lam_k <= lam_map, lam_map and n are. *)

Lemma factor_below : forall x c, 0 < x -> 0 < c ->
  let lead := Rmax 1 (main c) in
  below lead x c < 1 + x + c -> above lead x c < 1 + x + c -> rest lead (Rmin 1 (main c)) x c < 1 + x + c ->
  factor x c < x.
Proof.
  intros x c positive_x positive_c lead first second third; unfold factor; fold lead.
  assert (0 < theta x c) as positive_theta by (apply Rdiv_lt_0_compat; lra).
  assert (x = theta x c * (1 + x + c)) as whole_bound by (unfold theta; field; lra).
  apply Rlt_le_trans with (theta x c * (1 + x + c)); [| lra].
  apply Rmult_lt_compat_l; [exact positive_theta |]; repeat apply Rmax_lub_lt; assumption.
Qed.

Theorem factor_at_most : forall x c, 0 < x <= 1 -> 0 < c -> factor x c < x.
Proof.
  intros x c [positive_x most_x] positive_c.
  assert (positive_u : 0 <= 1 / x - 1).
  { replace (1 / x - 1) with ((1 - x) * / x) by (field; lra).
    apply Rmult_le_pos; [lra | apply Rlt_le, Rinv_0_lt_compat, positive_x]. }
  assert (at_x : 1 / (1 + (1 / x - 1)) = x) by (field; lra).
  assert (main_c : main c * (1 + c) = 2 * c) by (unfold main; field; lra).
  destruct (Rlt_le_dec c 1) as [many | few].
  - assert (positive_v : 0 <= c / (1 - c)) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
    assert (at_c : c / (1 - c) / (1 + c / (1 - c)) = c) by (field; lra).
    pose proof (many_samples _ _ positive_u positive_v) as certified; cbv zeta in certified.
    rewrite at_x, at_c in certified; destruct certified as [first [second third]].
    assert (small : main c <= 1) by (apply Rmult_le_reg_r with (1 + c); lra).
    apply factor_below; rewrite ?Rmax_left, ?Rmin_right by exact small; assumption.
  - assert (at_c : (1 + (c - 1)) / 1 = c) by field.
    pose proof (few_samples _ (c - 1) positive_u ltac:(lra)) as certified; cbv zeta in certified.
    rewrite at_x, at_c in certified; destruct certified as [first [second third]].
    assert (large : 1 <= main c) by (apply Rmult_le_reg_r with (1 + c); lra).
    apply factor_below; rewrite ?Rmax_right, ?Rmin_left by exact large; assumption.
Qed.

Theorem factor_of_a_layer : forall lam_k lam_map (n : nat), 0 < lam_k <= lam_map -> (1 <= n)%nat ->
  factor (lam_k / lam_map) ((lam_map + lam_k) / INR n) < lam_k / lam_map.
Proof.
  intros lam_k lam_map n [positive_k no_more] samples; pose proof (lt_0_INR n ltac:(lia)) as positive_n.
  apply factor_at_most; [split; [apply Rdiv_lt_0_compat; lra |] | apply Rdiv_lt_0_compat; lra].
  apply Rmult_le_reg_r with lam_map; [lra |]; replace (lam_k / lam_map * lam_map) with lam_k by (field; lra); lra.
Qed.
