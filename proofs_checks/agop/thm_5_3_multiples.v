(* A layer where the Gram matrix is a multiple of the collapsed one, G = g Y^T Y: it takes G to
   kappa^-1 S Y^T Y S, with S = (G + lam_map I) (G + (lam_map + lam_k) I)^-1. *)

Definition kappa (n : nat) (lam_k lam_map : R) := / (1 + lam_k / (INR n + lam_map)) ^ 2.

Definition step (n : nat) (lam_k lam_map g : R) :=
  ((g * INR n + lam_map) / (g * INR n + lam_map + lam_k)) ^ 2 / kappa n lam_k lam_map.

Theorem inverse_at_a_multiple : forall class K n N lam g i j,
  equal_classes class K n N -> 0 < lam -> 0 <= g -> (i < N)%nat -> (j < N)%nat ->
  product N (combination class K lam (- g)) (combination class K (/ lam) (g / (lam * (lam + g * INR n)))) i j
  = identity i j.
Proof.
  intros class K n N lam g i j equal positive_lam sign below_i below_j; pose proof (pos_INR n) as size.
  rewrite (product_of_combinations class K n) by assumption; unfold combination.
  assert (0 <= g * INR n) by (apply Rmult_le_pos; assumption); field; lra.
Qed.

(* S, as I less lam_k times that inverse at lam = lam_map + lam_k *)

Definition smoother (class : nat -> nat) (K n : nat) (lam_k lam_map g : R) (i j : nat) :=
  identity i j - lam_k * combination class K (/ (lam_map + lam_k))
    (g / ((lam_map + lam_k) * (lam_map + lam_k + g * INR n))) i j.

Lemma smoother_is : forall class K n lam_k lam_map g i j, 0 < lam_k -> 0 < lam_map -> 0 <= g ->
  smoother class K n lam_k lam_map g i j = combination class K (lam_map / (lam_map + lam_k))
    (- (lam_k * g / ((lam_map + lam_k) * (lam_map + lam_k + g * INR n)))) i j.
Proof.
  intros class K n lam_k lam_map g i j positive_k positive_map sign; pose proof (pos_INR n) as size.
  assert (0 <= g * INR n) by (apply Rmult_le_pos; assumption).
  unfold smoother, combination; field; lra.
Qed.

Definition layer (class : nat -> nat) (K n N : nat) (lam_k lam_map g : R) (i j : nat) :=
  product N (product N (smoother class K n lam_k lam_map g) (gram class K)) (smoother class K n lam_k lam_map g) i j
  / kappa n lam_k lam_map.

Theorem layer_of_a_multiple : forall class K n N lam_k lam_map g i j,
  equal_classes class K n N -> 0 < lam_k -> 0 < lam_map -> 0 <= g -> (i < N)%nat -> (j < N)%nat ->
  layer class K n N lam_k lam_map g i j = step n lam_k lam_map g * gram class K i j.
Proof.
  intros class K n N lam_k lam_map g i j equal positive_k positive_map sign below_i below_j.
  pose proof (pos_INR n) as size; assert (scaled : 0 <= g * INR n) by (apply Rmult_le_pos; assumption).
  set (a := lam_map / (lam_map + lam_k)).
  set (b := - (lam_k * g / ((lam_map + lam_k) * (lam_map + lam_k + g * INR n)))).
  assert (gram_is : forall p q, gram class K p q = combination class K 0 (-1) p q) by
    (intros; unfold combination; ring).
  assert (inner : forall p q, (p < N)%nat -> (q < N)%nat ->
    product N (smoother class K n lam_k lam_map g) (gram class K) p q = combination class K 0 (INR n * b - a) p q).
  { intros p q below_p below_q.
    rewrite (product_ext N _ (combination class K a b) _ (combination class K 0 (-1))) by
      (intros; try apply gram_is; apply smoother_is; assumption).
    rewrite (product_of_combinations class K n) by assumption; f_equal; ring. }
  unfold layer, product at 1.
  rewrite (sum_ext _ (fun k => combination class K 0 (INR n * b - a) i k * combination class K a b k j)).
  2: { intros k below_k; rewrite inner by assumption; f_equal; apply smoother_is; assumption. }
  change (sum _ N) with (product N (combination class K 0 (INR n * b - a)) (combination class K a b) i j).
  rewrite (product_of_combinations class K n) by assumption; unfold combination, step.
  assert (positive_sum : 0 < INR n + lam_map) by lra.
  assert (0 < kappa n lam_k lam_map) as positive_kappa.
  { apply Rinv_0_lt_compat, pow_lt; assert (0 < lam_k / (INR n + lam_map)) by (apply Rdiv_lt_0_compat; lra); lra. }
  assert (whole : a - INR n * b = (g * INR n + lam_map) / (g * INR n + lam_map + lam_k)) by
    (unfold a, b; field; lra).
  rewrite <- whole; field; lra.
Qed.

(* The collapsed Gram matrix is a fixed point. *)

Lemma kappa_is : forall n lam_k lam_map, 0 < lam_k -> 0 < lam_map ->
  kappa n lam_k lam_map = ((INR n + lam_map) / (INR n + lam_map + lam_k)) ^ 2.
Proof. intros n lam_k lam_map positive_k positive_map; pose proof (pos_INR n); unfold kappa; field; lra. Qed.

Theorem fixed_point : forall n lam_k lam_map, 0 < lam_k -> 0 < lam_map -> step n lam_k lam_map 1 = 1.
Proof.
  intros n lam_k lam_map positive_k positive_map; pose proof (pos_INR n).
  unfold step; rewrite kappa_is by assumption; field; lra.
Qed.

(* Where a layer has g - 1 it has at most lam_k / lam_map times that after another one: from the certified polynomial,
   for all that the first layer can leave, step 0 and more. *)

Lemma first_layer : forall n lam_k lam_map g, 0 < lam_k -> 0 < lam_map -> 0 <= g ->
  step n lam_k lam_map 0 <= step n lam_k lam_map g.
Proof.
  intros n lam_k lam_map g positive_k positive_map sign; pose proof (pos_INR n) as size.
  assert (scaled : 0 <= g * INR n) by (apply Rmult_le_pos; assumption).
  unfold step; rewrite kappa_is by assumption.
  apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, pow_lt, Rdiv_lt_0_compat; lra |].
  apply pow_incr; rewrite Rmult_0_l; split; [apply Rlt_le, Rdiv_lt_0_compat; lra |].
  apply Rmult_le_reg_r with ((0 + lam_map + lam_k) * (g * INR n + lam_map + lam_k)); [nra |].
  field_simplify; nra.
Qed.

Lemma certified_bound : forall n lam_k lam_map g, 0 < lam_k <= lam_map -> step n lam_k lam_map 0 <= g ->
  let N := INR n + lam_map in
  let a := (g * INR n + lam_map) * (N + lam_k) / ((g * INR n + lam_map + lam_k) * N) in
  0 <= g /\ lam_map * INR n * (a + 1) <= (g * INR n + lam_map + lam_k) * N.
Proof.
  intros n k m g [positive_k no_more] beyond N a; pose proof (pos_INR n) as size.
  set (h := g - step n k m 0).
  set (square := (m + k) ^ 2 * N ^ 2).
  set (e := INR n * m ^ 2 * (N + k) ^ 2 + (INR n * h + m + k) * square).
  assert (positive_square : 0 < square) by (unfold square, N; apply Rmult_lt_0_compat; apply pow_lt; lra).
  assert (at_zero : step n k m 0 = m ^ 2 * (N + k) ^ 2 / square).
  { unfold step, square, N; rewrite kappa_is by lra; field; lra. }
  assert (sign_h : 0 <= h) by (unfold h; lra).
  assert (sign : 0 <= g).
  { apply Rle_trans with (2 := beyond); rewrite at_zero; apply Rmult_le_pos; [| apply Rlt_le, Rinv_0_lt_compat; lra].
    apply Rmult_le_pos; apply pow2_ge_0. }
  split; [exact sign |].
  assert (scaled : 0 <= g * INR n) by (apply Rmult_le_pos; assumption).
  assert (denominator : g * INR n + m + k = e / square).
  { unfold e, h; rewrite at_zero; field; lra. }
  assert (positive_e : 0 < e).
  { replace e with (e / square * square) by (field; lra); rewrite <- denominator; apply Rmult_lt_0_compat; lra. }
  assert (positive_N : 0 < N) by (unfold N; lra).
  pose proof (multiples_certificate k (m - k) (INR n) h ltac:(lra) ltac:(lra) size sign_h) as certified.
  match type of certified with 0 <= ?polynomial =>
    assert (same : polynomial = e * (e - m * INR n * (m + k) ^ 2 * N)
      - m * INR n * (N + k) * (m + k) ^ 2 * (e - k * square)) by (unfold e, square, N; ring)
  end.
  rewrite same in certified; clear same.
  assert (difference : (g * INR n + m + k) * N - m * INR n * (a + 1)
    = (e * (e - m * INR n * (m + k) ^ 2 * N) - m * INR n * (N + k) * (m + k) ^ 2 * (e - k * square))
      / ((m + k) ^ 2 * N * e)).
  { unfold a; replace (g * INR n + m) with (e / square - k) by lra.
    replace (e / square - k + k) with (e / square) by ring.
    unfold square in *; clearbody e; field; repeat split; try lra; nra. }
  assert (0 <= (g * INR n + m + k) * N - m * INR n * (a + 1)); [| lra].
  rewrite difference; apply Rmult_le_pos; [exact certified |].
  apply Rlt_le, Rinv_0_lt_compat; repeat apply Rmult_lt_0_compat; try apply pow_lt; lra.
Qed.

Theorem contraction_of_multiples : forall n lam_k lam_map g, 0 < lam_k <= lam_map -> step n lam_k lam_map 0 <= g ->
  Rabs (step n lam_k lam_map g - 1) <= lam_k / lam_map * Rabs (g - 1).
Proof.
  intros n k m g range beyond; pose proof (pos_INR n) as size.
  destruct (certified_bound n k m g range beyond) as [sign certified]; destruct range as [positive_k no_more].
  assert (scaled : 0 <= g * INR n) by (apply Rmult_le_pos; assumption).
  set (N := INR n + m) in *; assert (positive_N : 0 < N) by (unfold N; lra).
  set (a := (g * INR n + m) * (N + k) / ((g * INR n + m + k) * N)) in *.
  assert (positive_a : 0 <= a) by (apply Rlt_le, Rdiv_lt_0_compat; apply Rmult_lt_0_compat; lra).
  assert (moved : step n k m g - 1 = k / m * (m * INR n * (a + 1) / ((g * INR n + m + k) * N)) * (g - 1)).
  { unfold step; rewrite kappa_is by lra; unfold a, N; field; repeat split; lra. }
  rewrite moved, !Rabs_mult.
  apply Rmult_le_compat_r; [apply Rabs_pos |].
  rewrite (Rabs_pos_eq (k / m)) by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  rewrite <- (Rmult_1_r (k / m)) at 2; apply Rmult_le_compat_l; [apply Rlt_le, Rdiv_lt_0_compat; lra |].
  assert (positive_below : 0 < (g * INR n + m + k) * N) by (apply Rmult_lt_0_compat; lra).
  rewrite Rabs_pos_eq; [apply Rmult_le_reg_r with ((g * INR n + m + k) * N); [exact positive_below |] |].
  - replace (_ / _ * _) with (m * INR n * (a + 1)) by (field; lra); lra.
  - apply Rmult_le_pos; [| apply Rlt_le, Rinv_0_lt_compat; exact positive_below].
    repeat apply Rmult_le_pos; lra.
Qed.

(* The data have the Gram matrix lam_map I + g Y^T Y; further layers follow. *)

Fixpoint after (n : nat) (lam_k lam_map g : R) (layers : nat) : R :=
  match layers with O => g | S before => step n lam_k lam_map (after n lam_k lam_map g before) end.

Lemma step_sign : forall n lam_k lam_map g, 0 < lam_k -> 0 < lam_map -> 0 <= step n lam_k lam_map g.
Proof.
  intros n lam_k lam_map g positive_k positive_map; pose proof (pos_INR n) as size.
  unfold step; rewrite kappa_is by assumption; apply Rmult_le_pos; [apply pow2_ge_0 |].
  apply Rlt_le, Rinv_0_lt_compat, pow_lt, Rdiv_lt_0_compat; lra.
Qed.

Theorem every_layer_from_the_second_on : forall n lam_k lam_map g layers, 0 < lam_k <= lam_map -> 0 <= g ->
  Rabs (after n lam_k lam_map g (S (S layers)) - 1)
  <= lam_k / lam_map * Rabs (after n lam_k lam_map g (S layers) - 1).
Proof.
  intros n k m g layers range sign; cbn [after].
  apply contraction_of_multiples; [exact range |].
  apply first_layer; try lra; destruct layers; [exact sign | apply step_sign; lra].
Qed.
