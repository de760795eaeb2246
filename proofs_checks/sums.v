(* Finite sums, and matrices as functions of two indices *)

Require Import Arith.

Definition one_if (b : bool) : R := if b then 1 else 0.

Fixpoint sum (f : nat -> R) (n : nat) : R := match n with O => 0 | S m => sum f m + f m end.

Definition identity (i j : nat) := one_if (i =? j).

(* of two matrices, the first with N columns *)
Definition product (N : nat) (A B : nat -> nat -> R) (i j : nat) := sum (fun k => A i k * B k j) N.

Lemma sum_ext : forall f g n, (forall i, (i < n)%nat -> f i = g i) -> sum f n = sum g n.
Proof.
  intros f g n same; induction n as [| n step]; [reflexivity | simpl].
  rewrite (same n), step; [reflexivity | intros i below; apply same | ]; lia.
Qed.

Lemma sum_zero : forall n, sum (fun _ => 0) n = 0.
Proof. induction n as [| n step]; simpl; [| rewrite step]; ring. Qed.

Lemma sum_const : forall c n, sum (fun _ => c) n = INR n * c.
Proof. intros c n; induction n as [| n step]; [simpl; ring | rewrite S_INR; simpl; rewrite step; ring]. Qed.

Lemma sum_plus : forall f g n, sum (fun i => f i + g i) n = sum f n + sum g n.
Proof. intros f g n; induction n as [| n step]; simpl; [| rewrite step]; ring. Qed.

Lemma sum_scale : forall c f n, sum (fun i => c * f i) n = c * sum f n.
Proof. intros c f n; induction n as [| n step]; simpl; [| rewrite step]; ring. Qed.

Lemma sum_swap : forall f m n, sum (fun i => sum (fun j => f i j) n) m = sum (fun j => sum (fun i => f i j) m) n.
Proof.
  intros f m n; induction m as [| m step]; simpl; [symmetry; apply sum_zero |].
  rewrite step, <- sum_plus; reflexivity.
Qed.

Lemma sum_indicator : forall a f n, (a < n)%nat -> sum (fun i => one_if (i =? a) * f i) n = f a.
Proof.
  intros a f n below.
  assert (beyond : forall m, (m <= a)%nat -> sum (fun i => one_if (i =? a) * f i) m = 0).
  { intros m before; rewrite <- (sum_zero m); apply sum_ext; intros i smaller.
    destruct (Nat.eqb_spec i a); [lia | unfold one_if; ring]. }
  induction n as [| n step]; [lia | simpl].
  destruct (Nat.eqb_spec n a) as [-> | differs]; unfold one_if at 2.
  - rewrite beyond by lia; ring.
  - rewrite step by lia; ring.
Qed.

Lemma one_if_symmetric : forall i j, one_if (i =? j) = one_if (j =? i).
Proof. intros i j; rewrite Nat.eqb_sym; reflexivity. Qed.
