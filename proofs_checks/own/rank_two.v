(* The matrices of rank two, with indices from 0 on: A is 2 x K, B is K x 2. *)

Definition A (K : nat) (row k : nat) : R := if row =? 0 then INR K - 1 - INR k else INR k.

Definition B (K : nat) (j column : nat) : R :=
  (if column =? 0 then 1 - INR j else INR K - INR j) / (INR K - 1).

Definition relu (x : R) := Rmax 0 x.

Definition last (K : nat) (j k : nat) := relu (product 2 (B K) (A K) j k).

Definition squares (rows columns : nat) (M : nat -> nat -> R) :=
  sum (fun i => sum (fun j => M i j ^ 2) columns) rows.

Lemma pre_activations : forall K j k, (2 <= K)%nat -> product 2 (B K) (A K) j k = INR k - INR j + 1.
Proof.
  intros K j k order; apply (le_INR 2) in order; simpl INR in order.
  unfold product, A, B; simpl; field; lra.
Qed.

(* The ReLU makes them triangular; the inverse is the squared difference. *)

Definition triangular (j k : nat) : R := INR (S k - j).

Lemma last_is : forall K j k, (2 <= K)%nat -> last K j k = triangular j k.
Proof.
  intros K j k order; unfold last, relu, triangular; rewrite pre_activations by exact order.
  destruct (le_lt_dec j (S k)) as [on | off].
  - rewrite minus_INR, S_INR by exact on; apply le_INR in on; rewrite S_INR in on; rewrite Rmax_right; lra.
  - replace (S k - j)%nat with 0%nat by lia; apply Nat.le_succ_l, le_INR in off; rewrite !S_INR in off.
    rewrite Rmax_left; simpl; lra.
Qed.

Definition difference (m k : nat) : R := one_if (m =? k) - 2 * one_if (S m =? k) + one_if (S (S m) =? k).

Lemma before : forall f k n, (k < n)%nat ->
  sum (fun m => one_if (S m =? k) * f m) n = if k =? 0 then 0 else f (pred k).
Proof.
  intros f [| k] n below; simpl.
  - transitivity (sum (fun _ => 0) n); [apply sum_ext; intros m _; cbn; ring | apply sum_zero].
  - apply sum_indicator; lia.
Qed.

Lemma before_that : forall f k n, (k < n)%nat ->
  sum (fun m => one_if (S (S m) =? k) * f m) n = if k <=? 1 then 0 else f (pred (pred k)).
Proof.
  intros f [| [| k]] n below; simpl.
  - transitivity (sum (fun _ => 0) n); [apply sum_ext; intros m _; cbn; ring | apply sum_zero].
  - transitivity (sum (fun _ => 0) n); [apply sum_ext; intros m _; cbn; ring | apply sum_zero].
  - apply sum_indicator; lia.
Qed.

Theorem inverse_of_the_last_layer : forall K j k, (2 <= K)%nat -> (j < K)%nat -> (k < K)%nat ->
  product K (last K) difference j k = identity j k.
Proof.
  intros K j k order below_j below_k; unfold product, difference.
  rewrite (sum_ext _ (fun m => one_if (m =? k) * triangular j m + (-2 * (one_if (S m =? k) * triangular j m)
    + one_if (S (S m) =? k) * triangular j m))) by (intros; rewrite last_is by exact order; ring).
  rewrite !sum_plus, sum_scale, (sum_indicator k), (before (triangular j)), (before_that (triangular j)) by
    exact below_k.
  unfold triangular, identity, one_if.
  destruct k as [| [| k]]; cbn [Nat.eqb Nat.leb pred].
  - destruct j as [| j]; simpl; ring.
  - destruct j as [| [| j]]; simpl; ring.
  - destruct (Nat.eqb_spec j (S (S k))) as [-> | differs].
    + replace (S (S (S k)) - S (S k))%nat with 1%nat by lia; replace (S (S k) - S (S k))%nat with 0%nat by lia.
      replace (S k - S (S k))%nat with 0%nat by lia; simpl; ring.
    + destruct (le_lt_dec j (S k)) as [left | right].
      * rewrite !minus_INR, !S_INR by lia; ring.
      * replace (S (S (S k)) - j)%nat with 0%nat by lia; replace (S (S k) - j)%nat with 0%nat by lia.
        replace (S k - j)%nat with 0%nat by lia; simpl; ring.
Qed.

(* What the matrices cost: the squared norms of A, B and the inverse *)

Lemma sum_of_squares : forall n, sum (fun k => INR k ^ 2) n = INR n * (INR n - 1) * (2 * INR n - 1) / 6.
Proof. induction n as [| n step]; [simpl; field | cbn [sum]; rewrite step, S_INR; field]. Qed.

Lemma sum_of_numbers : forall n, sum INR n = INR n * (INR n - 1) / 2.
Proof. induction n as [| n step]; [simpl; field | cbn [sum]; rewrite step, S_INR; field]. Qed.

Lemma norm_of_A : forall K, squares 2 K (A K) = INR K * (INR K - 1) * (2 * INR K - 1) / 3.
Proof.
  intro K; unfold squares, A; simpl.
  rewrite (sum_ext (fun k => (INR K - 1 - INR k) * _) (fun k => (INR K - 1) ^ 2 + (-2 * (INR K - 1) * INR k
    + INR k ^ 2))) by (intros; ring).
  rewrite (sum_ext (fun k => INR k * _) (fun k => INR k ^ 2)) by (intros; ring).
  rewrite !sum_plus, sum_scale, sum_const, sum_of_squares, sum_of_numbers; field.
Qed.

Lemma norm_of_B : forall K, (2 <= K)%nat ->
  squares K 2 (B K) = INR K * (2 * INR K ^ 2 - 3 * INR K + 7) / (3 * (INR K - 1) ^ 2).
Proof.
  intros K order; apply (le_INR 2) in order; simpl INR in order; unfold squares, B; simpl.
  rewrite (sum_ext _ (fun j => / (INR K - 1) ^ 2 * (1 + INR K ^ 2 + (-2 * (1 + INR K) * INR j + 2 * INR j ^ 2)))) by
    (intros; field; lra).
  rewrite sum_scale, !sum_plus, !sum_scale, !sum_const, sum_of_squares, sum_of_numbers; field; lra.
Qed.

Lemma norm_of_the_inverse : forall K, (2 <= K)%nat -> squares K K difference = 6 * INR K - 6.
Proof.
  assert (column : forall k n, (k < n)%nat -> sum (fun m => difference m k ^ 2) n
    = 1 + 4 * (if k =? 0 then 0 else 1) + (if k <=? 1 then 0 else 1)).
  { intros k n below.
    rewrite (sum_ext _ (fun m => one_if (m =? k) * 1 + (4 * (one_if (S m =? k) * 1) + one_if (S (S m) =? k) * 1))).
    - rewrite !sum_plus, sum_scale, (sum_indicator k (fun _ => 1)), (before (fun _ => 1)), (before_that (fun _ => 1)) by
        exact below; ring.
    - intros m _; unfold difference, one_if.
      destruct (Nat.eqb_spec m k), (Nat.eqb_spec (S m) k), (Nat.eqb_spec (S (S m)) k); try lia; ring. }
  assert (columns : forall n, (2 <= n)%nat ->
    sum (fun k => 1 + 4 * (if k =? 0 then 0 else 1) + (if k <=? 1 then 0 else 1)) n = 6 * INR n - 6).
  { induction n as [| n step]; intro order; [lia |].
    destruct (Nat.eq_dec n 1) as [-> | more]; [simpl; ring |].
    cbn [sum]; rewrite step, S_INR by lia.
    rewrite (proj2 (Nat.eqb_neq n 0)), (proj2 (Nat.leb_gt n 1)) by lia; ring. }
  intros K order; unfold squares; rewrite sum_swap, <- (columns K order).
  apply sum_ext; intros k below; apply column, below.
Qed.

Theorem price : forall K, (2 <= K)%nat ->
  squares 2 K (A K) * squares K 2 (B K) * squares K K difference
  = 2 / 3 * INR K ^ 2 * (2 * INR K - 1) * (2 * INR K ^ 2 - 3 * INR K + 7).
Proof.
  intros K order; rewrite norm_of_A, norm_of_B, norm_of_the_inverse by exact order.
  apply (le_INR 2) in order; simpl INR in order; field; lra.
Qed.
