(* What the regularisations and the number of samples do to the minimum: it depends on their product alone. *)

Fixpoint product_of (f : nat -> R) (n : nat) : R := match n with O => 1 | S m => product_of f m * f m end.

Definition all_together (depth n : nat) (lam_H : R) (lam : nat -> R) (lam_V : R) :=
  INR n * lam_H * product_of lam depth * lam_V.

Lemma product_of_positive : forall f n, (forall l, (l < n)%nat -> 0 < f l) -> 0 < product_of f n.
Proof.
  intros f n sign; induction n as [| n step]; simpl; [lra |].
  apply Rmult_lt_0_compat; [apply step; intros; apply sign | apply sign]; lia.
Qed.

Lemma product_of_squares : forall f g h n, (forall l, (l < n)%nat -> f l ^ 2 * g l = h l) ->
  product_of f n ^ 2 * product_of g n = product_of h n.
Proof.
  intros f g h n each; induction n as [| n step]; simpl; [ring |].
  rewrite <- (each n), <- step; [ring | intros; apply each | ]; lia.
Qed.

(* A network of positively homogeneous layers *)

Lemma relu_scale : forall c x, 0 <= c -> relu (c * x) = c * relu x.
Proof. intros c x sign; unfold relu; rewrite <- (Rmult_0_r c) at 1; apply RmaxRmult, sign. Qed.

Lemma hidden_scale : forall d W s c depth x i, (forall l, (l < depth)%nat -> 0 <= s l) ->
  hidden d (fun l i j => s l * W l i j) depth (fun j => c * x j) i = product_of s depth * c * hidden d W depth x i
  \/ c < 0.
Proof.
  intros d W s c depth x i sign; destruct (Rlt_le_dec c 0) as [negative | positive]; [right; exact negative | left].
  revert i; induction depth as [| l step]; intro i; [simpl; ring |].
  cbn [hidden product_of].
  assert (0 <= product_of s l) as positive_s.
  { clear step; induction l as [| l step]; simpl; [lra |].
    apply Rmult_le_pos; [apply step; intros; apply sign; lia | apply sign; lia]. }
  rewrite <- relu_scale by (repeat apply Rmult_le_pos; try assumption; apply sign; lia).
  f_equal; rewrite <- sum_scale; apply sum_ext; intros j _.
  rewrite step by (intros; apply sign; lia); ring.
Qed.

Lemma output_scale : forall d depth H W V a s b i j t, 0 <= a -> (forall l, (l < depth)%nat -> 0 <= s l) ->
  output d depth (fun f j t => a * H f j t) (fun l i j => s l * W l i j) (fun i f => b * V i f) i j t
  = a * product_of s depth * b * output d depth H W V i j t.
Proof.
  intros d depth H W V a s b i j t sign_a sign; unfold output; rewrite <- sum_scale; apply sum_ext; intros f _.
  destruct (hidden_scale d W s a depth (fun x => H x j t) f sign) as [scaled |]; [rewrite scaled; ring | lra].
Qed.

Lemma total_of_scaled : forall c f g K, (forall i, f i = c * g i) -> total f (classes K) = c * total g (classes K).
Proof. intros c f g K each; rewrite <- total_scale; apply total_ext; intros i _; apply each. Qed.

Lemma square_of_root : forall x y, 0 < x -> 0 < y -> sqrt (x / y) ^ 2 * y = x.
Proof.
  intros x y positive_x positive_y; rewrite <- Rsqr_pow2, Rsqr_sqrt; [field; lra |].
  apply Rlt_le, Rdiv_lt_0_compat; assumption.
Qed.

Lemma other_regularisations : forall d depth K n lam_H lam lam_V lam_H' lam' lam_V',
  0 < lam_H -> 0 < lam_V -> (forall l, (l < depth)%nat -> 0 < lam l) ->
  0 < lam_H' -> 0 < lam_V' -> (forall l, (l < depth)%nat -> 0 < lam' l) ->
  lam_H * product_of lam depth * lam_V = lam_H' * product_of lam' depth * lam_V' ->
  forall H W V, exists H' W' V',
    loss d depth (classes K) n lam_H' lam' lam_V' H' W' V' = loss d depth (classes K) n lam_H lam lam_V H W V.
Proof.
  intros d depth K n lam_H lam lam_V lam_H' lam' lam_V' first last layers first' last' layers' together H W V.
  set (a := sqrt (lam_H / lam_H')); set (b := sqrt (lam_V / lam_V')); set (s := fun l => sqrt (lam l / lam' l)).
  pose proof (square_of_root lam_H lam_H' first first') as square_a; fold a in square_a.
  pose proof (square_of_root lam_V lam_V' last last') as square_b; fold b in square_b.
  assert (square_s : forall l, (l < depth)%nat -> s l ^ 2 * lam' l = lam l).
  { intros l below; apply square_of_root; [apply layers | apply layers']; exact below. }
  assert (positive_a : 0 < a) by (apply sqrt_lt_R0, Rdiv_lt_0_compat; assumption).
  assert (positive_b : 0 < b) by (apply sqrt_lt_R0, Rdiv_lt_0_compat; assumption).
  assert (positive_s : forall l, (l < depth)%nat -> 0 < s l).
  { intros l below; apply sqrt_lt_R0, Rdiv_lt_0_compat; [apply layers | apply layers']; exact below. }
  pose proof (product_of_positive s depth positive_s) as positive_product.
  pose proof (product_of_positive lam' depth layers') as positive_lam'.
  pose proof (product_of_squares s lam' lam depth square_s) as squares.
  assert (one : a * product_of s depth * b = 1).
  { assert (0 < a * product_of s depth * b) as positive by (repeat apply Rmult_lt_0_compat; assumption).
    assert ((a * product_of s depth * b) ^ 2 = 1) as square; [| nra].
    apply Rmult_eq_reg_r with (lam_H' * product_of lam' depth * lam_V').
    - rewrite Rmult_1_l; rewrite <- together at 2; rewrite <- squares, <- square_a, <- square_b; ring.
    - apply Rgt_not_eq; repeat apply Rmult_lt_0_compat; assumption. }
  exists (fun f j t => a * H f j t), (fun l i j => s l * W l i j), (fun i f => b * V i f).
  unfold loss; f_equal; [f_equal; [f_equal |] |].
  - f_equal; unfold pairs; apply total_ext; intros i _; apply total_ext; intros j _.
    unfold error; apply sum_ext; intros t _.
    rewrite output_scale by (try lra; intros l below; apply Rlt_le, positive_s, below); rewrite one; ring.
  - rewrite (total_of_scaled (a ^ 2) _ (of_features d n H)); [rewrite <- square_a; field |].
    intro j; unfold of_features; rewrite <- sum_scale; apply sum_ext; intros t _.
    rewrite <- sum_scale; apply sum_ext; intros; ring.
  - rewrite (total_of_scaled (b ^ 2) _ (of_outputs (d depth) V)); [rewrite <- square_b; field |].
    intro i; unfold of_outputs; rewrite <- sum_scale; apply sum_ext; intros; ring.
  - apply sum_ext; intros l below; rewrite <- (square_s l below).
    replace (of_layer d (fun l i j => s l * W l i j) l) with (s l ^ 2 * of_layer d W l); [field |].
    unfold of_layer; rewrite <- sum_scale; apply sum_ext; intros i _.
    rewrite <- sum_scale; apply sum_ext; intros; ring.
Qed.

(* One sample is enough: the loss is the mean of the losses of the first, second, … samples of all classes alone. *)

Lemma total_of_sums : forall (f : nat -> nat -> R) n l,
  total (fun i => sum (fun t => f i t) n) l = sum (fun t => total (fun i => f i t) l) n.
Proof.
  intros f n l; induction l as [| i l step]; simpl; [symmetry; apply sum_zero | rewrite step, <- sum_plus; reflexivity].
Qed.

Lemma mean_of_samples : forall d depth K n lam_H lam lam_V H W V, (1 <= K)%nat -> (1 <= n)%nat ->
  loss d depth (classes K) n lam_H lam lam_V H W V
  = sum (fun t => loss d depth (classes K) 1 (INR n * lam_H) lam lam_V (fun a j _ => H a j t) W V) n / INR n.
Proof.
  intros d depth K n lam_H lam lam_V H W V some_classes samples.
  pose proof (lt_0_INR n ltac:(lia)) as positive_n; pose proof (lt_0_INR K ltac:(lia)) as positive_K.
  unfold loss; rewrite length_of_classes, !sum_plus, !sum_const.
  set (layers := sum _ depth);
  rewrite (sum_ext _ (fun t => / (2 * INR K) *
    total (fun i => total (fun j => (output d depth H W V i j t - one_if (i =? j)) ^ 2) (classes K)) (classes K))).
  2: { intros t _; unfold pairs, error; simpl INR.
       rewrite (total_ext _ (fun i => total (fun j =>
         (output d depth H W V i j t - one_if (i =? j)) ^ 2) (classes K))); [field; lra |].
       intros i _; apply total_ext; intros j _; cbn [sum]; unfold output; ring. }
  rewrite (sum_ext (fun t => INR n * lam_H / 2 * _) (fun t => INR n * lam_H / 2 *
    total (fun j => sum (fun a => H a j t ^ 2) (d O)) (classes K))).
  2: { intros t _; f_equal; apply total_ext; intros j _; unfold of_features; cbn [sum]; ring. }
  rewrite !sum_scale, <- !total_of_sums; unfold pairs, error, of_features.
  rewrite (total_ext (fun i => sum (fun t => total _ _) n)
    (fun i => total (fun j => sum (fun t => (output d depth H W V i j t - one_if (i =? j)) ^ 2) n) (classes K))).
  2: { intros i _; symmetry; apply total_of_sums. }
  field; lra.
Qed.

Lemma some_sample : forall f n m, (1 <= n)%nat -> (forall t, (t < n)%nat -> m <= f t) -> m <= sum f n / INR n.
Proof.
  intros f n m samples least; pose proof (lt_0_INR n ltac:(lia)) as positive_n.
  apply Rmult_le_reg_r with (INR n); [exact positive_n |].
  replace (sum f n / INR n * INR n) with (sum f n) by (field; lra).
  clear samples positive_n; induction n as [| n step]; [simpl; lra |].
  rewrite S_INR; simpl sum; pose proof (step ltac:(intros; apply least; lia)); pose proof (least n ltac:(lia)); lra.
Qed.

(* min L_K (Pi) >= min L_k (Pi (K / k)^2), whatever the samples and regularisations of either side *)

Theorem removing_classes_by_the_product : forall d depth K k n n' lam_H lam lam_V lam_H' lam' lam_V' m,
  (2 <= k <= K)%nat -> (1 <= n)%nat -> (1 <= n')%nat ->
  0 < lam_H -> 0 < lam_V -> (forall l, (l < depth)%nat -> 0 < lam l) ->
  0 < lam_H' -> 0 < lam_V' -> (forall l, (l < depth)%nat -> 0 < lam' l) ->
  all_together depth n' lam_H' lam' lam_V' = all_together depth n lam_H lam lam_V * (INR K / INR k) ^ 2 ->
  (forall H W V, m <= loss d depth (classes k) n' lam_H' lam' lam_V' H W V) ->
  forall H W V, m <= loss d depth (classes K) n lam_H lam lam_V H W V.
Proof.
  intros d depth K k n n' lam_H lam lam_V lam_H' lam' lam_V' m order samples samples'.
  intros first last layers first' last' layers' together least H W V.
  pose proof (lt_0_INR n ltac:(lia)) as positive_n; pose proof (lt_0_INR n' ltac:(lia)) as positive_n'.
  pose proof (lt_0_INR k ltac:(lia)) as positive_k; pose proof (lt_0_INR K ltac:(lia)) as positive_K.
  assert (share : 0 < INR K / INR k) by (apply Rdiv_lt_0_compat; assumption).
  rewrite mean_of_samples by lia; apply some_sample; [exact samples |]; intros t _.
  apply (removing_classes d depth K k 1); [exact order | lia |]; clear H W V; intros H W V.
  destruct (other_regularisations d depth k 1 (INR K / INR k * (INR n * lam_H)) lam (INR K / INR k * lam_V)
    (INR n' * lam_H') lam' lam_V') with (H := H) (W := W) (V := V) as [H' [W' [V' same]]]; try assumption;
    try (repeat (assumption || apply Rmult_lt_0_compat)).
  { unfold all_together in together; rewrite together; ring. }
  rewrite <- same.
  pose proof (least (fun a j _ => H' a j 0%nat) W' V') as copied; rewrite mean_of_samples in copied by lia.
  rewrite sum_const in copied.
  replace (loss d depth (classes k) 1 (INR n' * lam_H') lam' lam_V' H' W' V')
    with (loss d depth (classes k) 1 (INR n' * lam_H') lam' lam_V' (fun a j _ => H' a j 0%nat) W' V').
  - replace (INR n' * loss d depth (classes k) 1 (INR n' * lam_H') lam' lam_V' (fun a j _ => H' a j 0%nat) W' V'
      / INR n') with (loss d depth (classes k) 1 (INR n' * lam_H') lam' lam_V' (fun a j _ => H' a j 0%nat) W' V')
      in copied by (field; lra); exact copied.
  - reflexivity.
Qed.
