(* Six classes, three layers, a near miss of the theorem: a graph of order 4 fits as collapse does at the same scale,
   and its norms cost more, as (sqrt 2 + sqrt 6)^2 > 12. *)

Lemma ratio_of_six_classes : 1 < ratio 4 0.
Proof.
  unfold ratio, nuclear, classes.
  replace ((4 - 1) * (4 - 2)) with 6 by ring.
  pose proof (sqrt_lt_R0 2 ltac:(lra)) as root_2; pose proof (sqrt_lt_R0 6 ltac:(lra)) as root_6.
  pose proof (sqrt_sqrt 2 ltac:(lra)) as is_2; pose proof (sqrt_sqrt 6 ltac:(lra)) as is_6.
  set (a := sqrt 2) in *; set (b := sqrt 6) in *.
  assert (cross : 2 < a * b).
  { apply Rsqr_incrst_0; [| lra | nra]; unfold Rsqr.
    replace (a * b * (a * b)) with (a * a * (b * b)) by ring; rewrite is_2, is_6; lra. }
  replace ((a + b) ^ 2) with (a * a + b * b + 2 * (a * b)) by ring; rewrite is_2, is_6, pow_O; lra.
Qed.

Lemma collapse_is_better : forall kappa v : R, 0 < kappa -> 0 < v -> collapse 0 kappa v < graph 4 0 kappa v.
Proof.
  intros kappa v strength scale; unfold collapse, graph, norms.
  assert (same_fit : fit_graph 4 v = fit_collapse v) by (unfold fit_graph, fit_collapse; field; lra).
  assert (positive_layers : 0 < layers 0) by (unfold layers; simpl; lra).
  pose proof ratio_of_six_classes.
  assert (powers : Rpower v (/ layers 0) < Rpower (ratio 4 0 * v) (/ layers 0)).
  { apply Rlt_Rpower_l; [apply Rinv_0_lt_compat; exact positive_layers | split; nra]. }
  assert (price : 0 < layers 0 * kappa) by nra.
  rewrite same_fit; nra.
Qed.

Theorem not_from_six_classes_on : exists kappa : R, 0 < kappa /\
  forall srg dnc : R, least (graph 4 0 kappa) srg -> least (collapse 0 kappa) dnc -> dnc < srg.
Proof.
  exists (1 / 100); split; [lra |].
  intros srg dnc [srg_attained _] [_ [_ dnc_least]].
  destruct srg_attained as [zero | [v [scale attained]]].
  - pose proof (dnc_least 3 ltac:(lra)) as at_three.
    assert (root : Rpower 3 (/ layers 0) <= 3).
    { rewrite <- (Rpower_1 3) at 2 by lra; apply Rle_Rpower; [lra |]; unfold layers; simpl; lra. }
    unfold collapse, norms, fit_collapse in at_three.
    unfold layers at 1 in at_three; simpl INR in at_three; lra.
  - pose proof (dnc_least v scale); pose proof (collapse_is_better (1 / 100) v ltac:(lra) scale); lra.
Qed.
