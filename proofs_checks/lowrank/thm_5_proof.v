(* The ratio of the norms *)

Lemma nuclear_bound : forall r : R, 4 <= r -> nuclear r ^ 2 <= r ^ 2 - 1.
Proof.
  intros r bound_r; unfold nuclear.
  pose proof (nuclear_norm r bound_r) as certified.
  assert (square : 0 <= (r - 1) * (r - 2)) by nra.
  pose proof (sqrt_pos 2) as root_2; pose proof (sqrt_pos ((r - 1) * (r - 2))) as root_x.
  pose proof (sqrt_sqrt 2 ltac:(lra)) as is_2; pose proof (sqrt_sqrt _ square) as is_x.
  set (a := sqrt 2) in *; set (b := sqrt ((r - 1) * (r - 2))) in *.
  assert (cross : 2 * (a * b) <= 3 * r - 5).
  { apply Rsqr_incr_0_var; [| lra]; unfold Rsqr.
    replace (2 * (a * b) * (2 * (a * b))) with (4 * ((a * a) * (b * b))) by ring.
    rewrite is_2, is_x; nra. }
  nra.
Qed.

Lemma ratio_three_layers : forall r : R, 4 <= r -> ratio r 0 <= (r + 1) / r.
Proof.
  intros r bound_r; unfold ratio, classes.
  pose proof (nuclear_bound r bound_r) as bound.
  replace ((r + 1) / r) with ((r ^ 2 - 1) / (2 * (r * (r - 1) / 2)) * (r / (r * (r - 1) / 2)) ^ 0) by (field; lra).
  rewrite !pow_O, !Rmult_1_r.
  apply Rmult_le_compat_r; [| exact bound].
  apply Rlt_le, Rinv_0_lt_compat; nra.
Qed.

Lemma ratio_positive : forall (r : R) (extra : nat), 4 <= r -> 0 < ratio r extra.
Proof.
  intros r extra bound_r; unfold ratio, classes, nuclear.
  assert (edges : 0 < r * (r - 1) / 2) by nra.
  apply Rmult_lt_0_compat; [| apply pow_lt, Rdiv_lt_0_compat; lra].
  apply Rdiv_lt_0_compat; [| lra].
  apply pow_lt, Rplus_lt_le_0_compat; [apply sqrt_lt_R0; lra | apply sqrt_pos].
Qed.

Lemma ratio_next_layer : forall (r : R) (extra : nat), 4 <= r -> ratio r (S extra) <= ratio r extra.
Proof.
  intros r extra bound_r.
  assert (step : ratio r (S extra) = ratio r extra * (2 / (r - 1))).
  { assert (quotient : r / classes r = 2 / (r - 1)) by (unfold classes; field; lra).
    unfold ratio; rewrite <- (tech_pow_Rmult (r / classes r) extra), quotient.
    set (q := 2 / (r - 1)); set (power := q ^ extra); ring. }
  pose proof (next_layer r bound_r) as certified; pose proof (ratio_positive r extra bound_r) as positive_ratio.
  assert (factor : 2 / (r - 1) <= 1).
  { apply Rmult_le_reg_r with (r - 1); [lra |]; replace (2 / (r - 1) * (r - 1)) with 2 by (field; lra); lra. }
  rewrite step; nra.
Qed.

Lemma ratio_four_layers : forall r : R, 4 <= r -> ratio r 1 < 1.
Proof.
  intros r bound_r.
  assert (step : ratio r 1 = ratio r 0 * (2 / (r - 1))).
  { assert (quotient : r / classes r = 2 / (r - 1)) by (unfold classes; field; lra).
    unfold ratio; rewrite quotient; ring. }
  pose proof (four_layers r bound_r) as certified; pose proof (ratio_three_layers r bound_r) as bound.
  assert (factor : 0 < 2 / (r - 1)) by (apply Rdiv_lt_0_compat; lra).
  assert (product : (r + 1) / r * (2 / (r - 1)) < 1).
  { apply Rmult_lt_reg_r with (r * (r - 1)); [nra |].
    replace ((r + 1) / r * (2 / (r - 1)) * (r * (r - 1))) with (2 * (r + 1)) by (field; lra); nra. }
  rewrite step; nra.
Qed.

(* The induction over the layers *)

Theorem ratio_below_one : forall (r : R) (extra : nat), 4 <= r -> (1 <= extra)%nat -> ratio r extra < 1.
Proof.
  intros r extra bound_r deep; induction deep as [| extra deep below].
  - exact (ratio_four_layers r bound_r).
  - pose proof (ratio_next_layer r extra bound_r); lra.
Qed.

(* The fits, where the norms cost the same *)

Lemma share_falls : forall w e v x : R, 0 <= w -> 0 <= e -> 0 <= v -> v <= x -> w / (1 + e * x) <= w / (1 + e * v).
Proof.
  intros w e v x weight eigenvalue scale order.
  apply Rmult_le_compat_l; [exact weight |].
  apply Rinv_le_contravar; nra.
Qed.

Lemma fit_graph_falls : forall r v x : R, 4 <= r -> 0 <= v -> v <= x -> fit_graph r x <= fit_graph r v.
Proof.
  intros r v x bound_r scale order; unfold fit_graph.
  assert (first : 0 <= 2 / (r * (r - 1))) by (apply Rlt_le, Rdiv_lt_0_compat; nra).
  assert (second : 0 <= 2 / r) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  assert (third : 0 <= (r - 3) / (r - 1)) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  pose proof (share_falls _ (((r - 2) * (r - 3) / 2) ^ 2) v x first (pow2_ge_0 _) scale order).
  pose proof (share_falls _ ((r - 3) ^ 2) v x second (pow2_ge_0 _) scale order).
  pose proof (share_falls _ 1 v x third ltac:(lra) scale order) as last; rewrite !Rmult_1_l in last.
  lra.
Qed.

Lemma fit_three_layers : forall r u : R, 5 <= r -> 0 < u -> fit_graph r (u * r / (r + 1)) < fit_collapse u.
Proof.
  intros r u bound_r scale.
  pose proof (three_layers r u bound_r ltac:(lra)) as certified.
  match type of certified with 0 < ?p => set (polynomial := p) in * end.
  set (below := (1 + u) * (4 * (r + 1) + ((r - 2) * (r - 3)) ^ 2 * u * r) * (r + 1 + (r - 3) ^ 2 * u * r)
    * (r + 1 + u * r) * r * (r - 1)).
  assert (first : 0 <= ((r - 2) * (r - 3)) ^ 2 * u * r) by (repeat apply Rmult_le_pos; try apply pow2_ge_0; lra).
  assert (second : 0 <= (r - 3) ^ 2 * u * r) by (repeat apply Rmult_le_pos; try apply pow2_ge_0; lra).
  assert (third : 0 < u * r) by nra.
  assert (positive_below : 0 < below).
  { unfold below; repeat apply Rmult_lt_0_compat; lra. }
  assert (difference : fit_collapse u - fit_graph r (u * r / (r + 1)) = r * (r - 1) * u * polynomial / below).
  { unfold fit_collapse, fit_graph, polynomial, below; field; repeat split; lra. }
  assert (0 < r * (r - 1) * u * polynomial / below).
  { apply Rdiv_lt_0_compat; [| exact positive_below].
    repeat apply Rmult_lt_0_compat; try lra; exact certified. }
  lra.
Qed.

Lemma fit_same_scale : forall r u : R, 4 <= r -> 0 < u -> fit_graph r u <= fit_collapse u.
Proof.
  intros r u bound_r scale.
  pose proof (block_eigenvalue r bound_r) as block; pose proof (star_eigenvalue r bound_r) as star.
  assert (total : fit_collapse u = 2 / (r * (r - 1)) / (1 + u) + 2 / r / (1 + u) + (r - 3) / (r - 1) / (1 + u)).
  { unfold fit_collapse; field; lra. }
  rewrite total; unfold fit_graph.
  assert (first : 0 <= 2 / (r * (r - 1))) by (apply Rlt_le, Rdiv_lt_0_compat; nra).
  assert (second : 0 <= 2 / r) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  assert (larger : forall w e, 0 <= w -> 1 <= e -> w / (1 + e * u) <= w / (1 + u)).
  { intros w e weight eigenvalue; apply Rmult_le_compat_l; [exact weight |]; apply Rinv_le_contravar; nra. }
  pose proof (larger _ (((r - 2) * (r - 3) / 2) ^ 2) first ltac:(nra)).
  pose proof (larger _ ((r - 3) ^ 2) second ltac:(lra)).
  lra.
Qed.

Lemma fit_graph_falls_strictly : forall r v x : R, 4 <= r -> 0 <= v -> v < x -> fit_graph r x < fit_graph r v.
Proof.
  intros r v x bound_r scale order; unfold fit_graph.
  assert (first : 0 <= 2 / (r * (r - 1))) by (apply Rlt_le, Rdiv_lt_0_compat; nra).
  assert (second : 0 <= 2 / r) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  assert (third : 0 < (r - 3) / (r - 1)) by (apply Rdiv_lt_0_compat; lra).
  pose proof (share_falls _ (((r - 2) * (r - 3) / 2) ^ 2) v x first (pow2_ge_0 _) scale ltac:(lra)).
  pose proof (share_falls _ ((r - 3) ^ 2) v x second (pow2_ge_0 _) scale ltac:(lra)).
  assert ((r - 3) / (r - 1) / (1 + x) < (r - 3) / (r - 1) / (1 + v)).
  { apply Rmult_lt_compat_l; [exact third |]; apply Rinv_lt_contravar; nra. }
  lra.
Qed.

Theorem better_fit : forall (r : R) (extra : nat) (u : R),
  in_range r extra -> 0 < u -> fit_graph r (u / ratio r extra) < fit_collapse u.
Proof.
  intros r extra u range scale.
  assert (bound_r : 4 <= r) by (destruct range as [large | [large _]]; lra).
  pose proof (ratio_positive r extra bound_r) as positive_ratio.
  destruct extra as [| extra].
  - destruct range as [large | [_ absurd]]; [| inversion absurd].
    apply Rle_lt_trans with (fit_graph r (u * r / (r + 1))); [| exact (fit_three_layers r u large scale)].
    apply fit_graph_falls; [lra | apply Rlt_le, Rdiv_lt_0_compat; nra |].
    pose proof (ratio_three_layers r bound_r) as bound.
    replace (u * r / (r + 1)) with (u * / ((r + 1) / r)) by (field; lra).
    apply Rmult_le_compat_l; [lra |]; apply Rinv_le_contravar; lra.
  - pose proof (ratio_below_one r (S extra) bound_r (le_n_S _ _ (Nat.le_0_l extra))) as below.
    apply Rlt_le_trans with (fit_graph r u); [| exact (fit_same_scale r u bound_r scale)].
    apply fit_graph_falls_strictly; [exact bound_r | lra |].
    apply Rmult_lt_reg_r with (ratio r (S extra)); [exact positive_ratio |].
    replace (u / ratio r (S extra) * ratio r (S extra)) with u by (field; lra); nra.
Qed.

(* The two losses: at every scale of collapse the graph has one at which it is better, whatever the regularisation. *)

Theorem better_at_some_scale : forall (r : R) (extra : nat) (kappa u : R),
  in_range r extra -> 0 < u ->
  0 < u / ratio r extra /\ graph r extra kappa (u / ratio r extra) < collapse extra kappa u.
Proof.
  intros r extra kappa u range scale.
  assert (bound_r : 4 <= r) by (destruct range as [large | [large _]]; lra).
  pose proof (ratio_positive r extra bound_r) as positive_ratio.
  split; [apply Rdiv_lt_0_compat; assumption |].
  unfold graph, collapse.
  replace (ratio r extra * (u / ratio r extra)) with u by (field; lra).
  pose proof (better_fit r extra u range scale); lra.
Qed.

(* The minima *)

Theorem strongly_regular_beats_collapse : forall (r : R) (extra : nat) (kappa srg dnc : R),
  in_range r extra -> least (graph r extra kappa) srg -> least (collapse extra kappa) dnc ->
  srg <= dnc /\ (srg < dnc <-> srg < 1) /\ (~ srg < 1 -> srg = 1 /\ dnc = 1).
Proof.
  intros r extra kappa srg dnc range [_ [srg_zero srg_least]] [dnc_attained [dnc_zero _]].
  assert (cases : dnc = 1 \/ srg < dnc).
  { destruct dnc_attained as [zero | [u [scale attained]]]; [left; exact zero | right].
    destruct (better_at_some_scale r extra kappa u range scale) as [positive_scale better].
    pose proof (srg_least _ positive_scale); lra. }
  destruct cases; lra.
Qed.
