(* Labels: sample i is of the class (class i), and every one of K classes has n of the N samples, in any order. *)

Definition Y (class : nat -> nat) (c i : nat) := one_if (c =? class i).

Definition gram (class : nat -> nat) (K : nat) := product K (fun i c => Y class c i) (Y class).

Definition equal_classes (class : nat -> nat) (K n N : nat) :=
  (forall i, (i < N)%nat -> (class i < K)%nat) /\ forall c, (c < K)%nat -> sum (Y class c) N = INR n.

(* lam I + Y^T Y, and a I - b Y^T Y *)

Definition collapsed (class : nat -> nat) (K : nat) (lam : R) (i j : nat) := gram class K i j + lam * identity i j.

Definition combination (class : nat -> nat) (K : nat) (a b : R) (i j : nat) := a * identity i j - b * gram class K i j.

Definition stated (class : nat -> nat) (K n : nat) (lam : R) :=
  combination class K (/ lam) (/ lam * / (lam + INR n)).

Lemma gram_entry : forall class K n N i j, equal_classes class K n N -> (i < N)%nat ->
  gram class K i j = one_if (class i =? class j).
Proof.
  intros class K n N i j [of_K _] below; unfold gram, product, Y.
  apply (sum_indicator (class i) (fun c => one_if (c =? class j))), of_K, below.
Qed.

Lemma gram_squared : forall class K n N i j, equal_classes class K n N -> (i < N)%nat -> (j < N)%nat ->
  product N (gram class K) (gram class K) i j = INR n * gram class K i j.
Proof.
  intros class K n N i j equal below_i below_j; unfold product.
  rewrite (sum_ext _ (fun k => gram class K i j * Y class (class i) k)).
  - rewrite sum_scale; destruct equal as [of_K count]; rewrite count by (apply of_K, below_i); ring.
  - intros k below_k.
    rewrite !(gram_entry class K n N) by assumption; unfold Y, one_if.
    destruct (Nat.eqb_spec (class i) (class k)), (Nat.eqb_spec (class k) (class j)),
      (Nat.eqb_spec (class i) (class j)); try ring; exfalso; congruence.
Qed.

Lemma product_of_combinations : forall class K n N a b a' b' i j,
  equal_classes class K n N -> (i < N)%nat -> (j < N)%nat ->
  product N (combination class K a b) (combination class K a' b') i j
  = combination class K (a * a') (a * b' + b * a' - INR n * b * b') i j.
Proof.
  intros class K n N a b a' b' i j equal below_i below_j; unfold product, combination.
  rewrite (sum_ext _ (fun k => a * a' * (one_if (k =? i) * identity k j)
    + (- (a * b') * (one_if (k =? i) * gram class K k j)
    + (- (b * a') * (one_if (k =? j) * gram class K i k)
    + b * b' * (gram class K i k * gram class K k j))))).
  2: { intros k _; unfold identity; rewrite (one_if_symmetric i k); ring. }
  rewrite !sum_plus, !sum_scale.
  rewrite (sum_indicator j (fun k => gram class K i k)), (sum_indicator i (fun k => identity k j)),
    (sum_indicator i (fun k => gram class K k j)) by assumption.
  pose proof (gram_squared class K n N i j equal below_i below_j) as square; unfold product in square.
  rewrite square; ring.
Qed.

Lemma product_ext : forall N A A' B B' i j, (forall p q, A p q = A' p q) -> (forall p q, B p q = B' p q) ->
  product N A B i j = product N A' B' i j.
Proof. intros N A A' B B' i j first second; apply sum_ext; intros k _; rewrite first, second; reflexivity. Qed.

Lemma collapsed_is : forall class K lam i j, collapsed class K lam i j = combination class K lam (-1) i j.
Proof. intros; unfold collapsed, combination; ring. Qed.

Lemma collapsed_times : forall class K n N lam a b i j,
  equal_classes class K n N -> (i < N)%nat -> (j < N)%nat ->
  product N (collapsed class K lam) (combination class K a b) i j
  = lam * a * identity i j + (a - b * (lam + INR n)) * gram class K i j.
Proof.
  intros class K n N lam a b i j equal below_i below_j.
  rewrite (product_ext N _ (combination class K lam (-1)) _ (combination class K a b)) by
    (intros; try apply collapsed_is; reflexivity).
  rewrite (product_of_combinations class K n) by assumption; unfold combination; ring.
Qed.

(* Lemma C.2, for all n, K and lam > 0 *)

Theorem inverse_of_the_collapsed_gram_matrix : forall class K n N lam i j,
  equal_classes class K n N -> 0 < lam -> (i < N)%nat -> (j < N)%nat ->
  product N (collapsed class K lam) (stated class K n lam) i j = identity i j /\
  product N (stated class K n lam) (collapsed class K lam) i j = identity i j.
Proof.
  intros class K n N lam i j equal positive_lam below_i below_j; pose proof (pos_INR n) as size; unfold stated.
  rewrite (product_ext N (combination _ _ _ _) (stated class K n lam) (collapsed class K lam)
    (combination class K lam (-1))) by (intros; try apply collapsed_is; reflexivity); unfold stated.
  rewrite (collapsed_times class K n), (product_of_combinations class K n) by assumption.
  unfold combination; split; field; lra.
Qed.

(* The papers' order of the samples is one of those: class 0 first, then class 1, and so on. *)

Lemma sum_of_blocks : forall f K n, sum f (K * n) = sum (fun c => sum (fun t => f (c * n + t)%nat) n) K.
Proof.
  intros f K n; induction K as [| K step]; [reflexivity |].
  assert (further : forall m, sum f (K * n + m) = sum f (K * n) + sum (fun t => f (K * n + t)%nat) m).
  { induction m as [| m next]; [rewrite Nat.add_0_r; simpl; ring | rewrite Nat.add_succ_r; simpl; rewrite next; ring]. }
  replace (S K * n)%nat with (K * n + n)%nat by (simpl; lia); rewrite further, step; reflexivity.
Qed.

Theorem classes_one_after_another : forall K n, (0 < n)%nat -> equal_classes (fun i => i / n)%nat K n (K * n).
Proof.
  intros K n positive_n; split; [intros i below; apply Nat.div_lt_upper_bound; lia |].
  intros c below; rewrite sum_of_blocks; unfold Y.
  rewrite (sum_ext _ (fun b => one_if (b =? c) * INR n)); [apply (sum_indicator c (fun _ => INR n)), below |].
  intros b _; rewrite (sum_ext _ (fun _ => one_if (b =? c))); [rewrite sum_const; ring |].
  intros t small; rewrite one_if_symmetric; do 2 f_equal.
  symmetry; apply (Nat.div_unique _ n b t); lia.
Qed.

(* No other coefficients do, from two samples of a class on. *)

Theorem no_other_coefficients : forall class K n N lam a b i j,
  equal_classes class K n N -> 0 < lam -> (i < N)%nat -> (j < N)%nat -> i <> j -> class i = class j ->
  (forall k, (k < N)%nat -> product N (collapsed class K lam) (combination class K a b) i k = identity i k) ->
  a = / lam /\ b = / lam * / (lam + INR n).
Proof.
  intros class K n N lam a b i j equal positive_lam below_i below_j differ together claimed.
  pose proof (pos_INR n) as size.
  pose proof (claimed i below_i) as diagonal; pose proof (claimed j below_j) as beside.
  rewrite (collapsed_times class K n), (gram_entry class K n N) in diagonal, beside by assumption.
  unfold identity in *; rewrite Nat.eqb_refl in diagonal; rewrite together, !Nat.eqb_refl in beside.
  rewrite (proj2 (Nat.eqb_neq i j) differ) in beside; rewrite Nat.eqb_refl in diagonal; unfold one_if in *.
  assert (first : lam * a = 1) by lra.
  assert (second : b * (lam + INR n) = a) by lra.
  assert (a = / lam) as value by (apply Rmult_eq_reg_l with lam; [rewrite first; field |]; lra).
  split; [exact value |].
  apply Rmult_eq_reg_r with (lam + INR n); [rewrite second, value; field |]; lra.
Qed.
