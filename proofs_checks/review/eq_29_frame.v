(* The outputs z I of the stated Gram matrix g I: below the threshold the slope (z - 1) / K + c is 0 and z > 0, beyond
   it the slope at 0 is at most c. *)

Definition cost (n lam_A lam_F : R) := sqrt (n * lam_A * lam_F).
Definition gram (K n lam_A lam_F : R) := sqrt (lam_A / (n * lam_F)) * (1 - K * cost n lam_A lam_F).

Theorem stated_outputs : forall K n lam_A lam_F : R, 0 < K -> 0 < n -> 0 < lam_A -> 0 < lam_F ->
  let c := cost n lam_A lam_F in
  let g := gram K n lam_A lam_F in
  let z := g * sqrt (n * lam_F / lam_A) in
  (K ^ 2 * n * lam_A * lam_F < 1 -> (z - 1) / K + c = 0 /\ 0 < z /\ 0 < g) /\
  (1 <= K ^ 2 * n * lam_A * lam_F -> 1 / K <= c).
Proof.
  intros K n lam_A lam_F positive_K positive_n positive_A positive_F; cbv zeta.
  assert (product : 0 < n * lam_A * lam_F) by (repeat apply Rmult_lt_0_compat; assumption).
  pose proof (sqrt_lt_R0 _ product) as positive_c; pose proof (sqrt_sqrt _ (Rlt_le _ _ product)) as square.
  unfold gram, cost; set (c := sqrt (n * lam_A * lam_F)) in *.
  assert (first : 0 < lam_A / (n * lam_F)) by (apply Rdiv_lt_0_compat; nra).
  assert (second : 0 < n * lam_F / lam_A) by (apply Rdiv_lt_0_compat; nra).
  assert (inverse : sqrt (lam_A / (n * lam_F)) * sqrt (n * lam_F / lam_A) = 1).
  { rewrite <- sqrt_mult by lra; rewrite <- sqrt_1; f_equal; field; lra. }
  assert (threshold : K ^ 2 * n * lam_A * lam_F = (K * c) ^ 2).
  { replace ((K * c) ^ 2) with (K ^ 2 * (c * c)) by ring; rewrite square; ring. }
  assert (positive_Kc : 0 < K * c) by (apply Rmult_lt_0_compat; assumption).
  rewrite threshold; split; intro side.
  - assert (below : K * c < 1) by nra.
    replace (sqrt (lam_A / (n * lam_F)) * (1 - K * c) * sqrt (n * lam_F / lam_A))
      with (sqrt (lam_A / (n * lam_F)) * sqrt (n * lam_F / lam_A) * (1 - K * c)) by ring.
    rewrite inverse; repeat split; [field; lra | lra | apply Rmult_lt_0_compat; [apply sqrt_lt_R0, first | lra]].
  - apply Rmult_le_reg_r with K; [exact positive_K |]; replace (1 / K * K) with 1 by (field; lra); nra.
Qed.
