(* The objective for n samples of each class. H a j t: feature a of sample t of class j; W l: the weights of a hidden
   layer, with d l columns and d (l + 1) rows; V: the last weights, with a row for each class. *)

Definition relu (x : R) := Rmax 0 x.

Fixpoint hidden (d : nat -> nat) (W : nat -> nat -> nat -> R) (depth : nat) (x : nat -> R) : nat -> R :=
  match depth with
  | O => x
  | S l => fun i => relu (sum (fun j => W l i j * hidden d W l x j) (d l))
  end.

Definition output d depth (H : nat -> nat -> nat -> R) W (V : nat -> nat -> R) (i j t : nat) :=
  sum (fun a => V i a * hidden d W depth (fun b => H b j t) a) (d depth).

Definition error d depth (n : nat) H W V (i j : nat) :=
  sum (fun t => (output d depth H W V i j t - one_if (i =? j)) ^ 2) n.

Definition of_features (d : nat -> nat) (n : nat) (H : nat -> nat -> nat -> R) (j : nat) :=
  sum (fun t => sum (fun a => H a j t ^ 2) (d O)) n.

Definition of_outputs (width : nat) (V : nat -> nat -> R) (i : nat) := sum (fun a => V i a ^ 2) width.

Definition of_layer (d : nat -> nat) (W : nat -> nat -> nat -> R) (l : nat) :=
  sum (fun i => sum (fun j => W l i j ^ 2) (d l)) (d (S l)).

Definition loss d depth (kept : list nat) (n : nat) (lam_H : R) (lam : nat -> R) (lam_V : R) H W V :=
  pairs (error d depth n H W V) kept / (2 * INR (length kept) * INR n)
  + lam_H / 2 * total (of_features d n H) kept
  + lam_V / 2 * total (of_outputs (d depth) V) kept
  + sum (fun l => lam l / 2 * of_layer d W l) depth.

(* What is kept, on average *)

Lemma average_plus : forall K k f g, (k <= K)%nat ->
  average K k (fun kept => f kept + g kept) = average K k f + average K k g.
Proof.
  intros K k f g order; unfold average; rewrite total_plus; field.
  pose proof (number_positive K k order); lra.
Qed.

Lemma average_scale : forall K k c f, (k <= K)%nat -> average K k (fun kept => c * f kept) = c * average K k f.
Proof.
  intros K k c f order; unfold average; rewrite total_scale; field.
  pose proof (number_positive K k order); lra.
Qed.

Lemma average_const : forall K k c, (k <= K)%nat -> average K k (fun _ => c) = c.
Proof.
  intros K k c order; unfold average; rewrite total_const; fold (number K k); field.
  pose proof (number_positive K k order); lra.
Qed.

Lemma average_ext : forall K k f g, (forall kept, In kept (choices K k) -> f kept = g kept) ->
  average K k f = average K k g.
Proof. intros K k f g agree; unfold average; rewrite (total_ext f g) by exact agree; reflexivity. Qed.

Lemma length_of_classes : forall K, length (classes K) = K.
Proof. induction K as [| K step]; simpl; [| rewrite step]; reflexivity. Qed.

Theorem average_loss : forall d depth K k n lam_H lam lam_V H W V, (2 <= k <= K)%nat -> (1 <= n)%nat ->
  average K k (fun kept => loss d depth kept n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V)
  = loss d depth (classes K) n lam_H lam lam_V H W V
    - (INR K - INR k) / (INR K - 1) * mixed (error d depth n H W V) (classes K) / (2 * INR K * INR n).
Proof.
  intros d depth K k n lam_H lam lam_V H W V order samples.
  assert (2 <= INR k) as at_least_two by (apply (le_INR 2); lia).
  assert (INR k <= INR K) as no_more by (apply le_INR; lia).
  pose proof (lt_0_INR n ltac:(lia)) as positive_n.
  set (g := error d depth n H W V).
  set (f := fun kept => / (2 * INR k * INR n) * mixed g kept
    + (/ (2 * INR k * INR n) * total (fun i => g i i) kept
    + (INR K / INR k * (lam_H / 2) * total (of_features d n H) kept
    + (INR K / INR k * (lam_V / 2) * total (of_outputs (d depth) V) kept
    + sum (fun l => lam l / 2 * of_layer d W l) depth)))).
  rewrite (average_ext K k _ f).
  - unfold f; rewrite !average_plus, !average_scale, average_const by lia.
    rewrite share_of_a_pair, !share_of_a_class by lia.
    unfold loss; fold g; rewrite length_of_classes.
    replace (pairs g (classes K)) with (mixed g (classes K) + total (fun i => g i i) (classes K)) by
      (unfold mixed; ring).
    field; repeat split; lra.
  - intros kept among; apply choices_are_the_sets in among; destruct among as [_ size].
    unfold loss, f; fold g; rewrite size.
    replace (pairs g kept) with (mixed g kept + total (fun i => g i i) kept) by (unfold mixed; ring).
    field; lra.
Qed.

Lemma mixed_nonnegative : forall g kept, (forall i j, 0 <= g i j) -> 0 <= mixed g kept.
Proof.
  intros g kept sign; induction kept as [| c kept step]; [unfold mixed, pairs; simpl; lra | rewrite mixed_cons].
  apply Rplus_le_le_0_compat; [exact step | apply total_nonnegative; intros i _].
  apply Rplus_le_le_0_compat; apply sign.
Qed.

Lemma sum_nonnegative : forall f n, (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sum f n.
Proof.
  intros f n sign; induction n as [| n step]; simpl; [lra |].
  apply Rplus_le_le_0_compat; [apply step; intros; apply sign; lia | apply sign; lia].
Qed.

Theorem at_most_the_loss : forall d depth K k n lam_H lam lam_V H W V, (2 <= k <= K)%nat -> (1 <= n)%nat ->
  average K k (fun kept => loss d depth kept n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V)
  <= loss d depth (classes K) n lam_H lam lam_V H W V.
Proof.
  intros d depth K k n lam_H lam lam_V H W V order samples; rewrite average_loss by assumption.
  assert (2 <= INR k) as at_least_two by (apply (le_INR 2); lia).
  assert (INR k <= INR K) as no_more by (apply le_INR; lia).
  pose proof (lt_0_INR n ltac:(lia)) as positive_n.
  assert (0 <= mixed (error d depth n H W V) (classes K)) as sign.
  { apply mixed_nonnegative; intros i j; apply sum_nonnegative; intros t _; apply pow2_ge_0. }
  assert (0 <= (INR K - INR k) / (INR K - 1) * mixed (error d depth n H W V) (classes K) / (2 * INR K * INR n)).
  { repeat apply Rmult_le_pos; try exact sign; try lra; apply Rlt_le, Rinv_0_lt_compat; nra. }
  lra.
Qed.

Lemma mixed_zero : forall g K, (forall i j, (i < K)%nat -> (j < K)%nat -> i <> j -> g i j = 0) ->
  mixed g (classes K) = 0.
Proof.
  intros g K zero; induction K as [| K step]; [unfold mixed, pairs; simpl; ring |].
  change (classes (S K)) with (K :: classes K); rewrite mixed_cons, step by (intros; apply zero; lia).
  assert (members : forall J, (J <= K)%nat -> total (fun i => g K i + g i K) (classes J) = 0).
  { induction J as [| J next]; intro below; simpl; [reflexivity | rewrite next, !zero by lia; ring]. }
  rewrite members by lia; ring.
Qed.

Theorem equal_for_diagonal_outputs : forall d depth K k n lam_H lam lam_V H W V, (2 <= k <= K)%nat -> (1 <= n)%nat ->
  (forall i j t, (i < K)%nat -> (j < K)%nat -> (t < n)%nat -> i <> j -> output d depth H W V i j t = 0) ->
  average K k (fun kept => loss d depth kept n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V)
  = loss d depth (classes K) n lam_H lam lam_V H W V.
Proof.
  intros d depth K k n lam_H lam lam_V H W V order samples diagonal.
  rewrite average_loss by assumption; rewrite mixed_zero.
  - unfold Rdiv; ring.
  - intros i j below_i below_j differ; unfold error; rewrite <- (sum_zero n); apply sum_ext; intros t below_t.
    rewrite diagonal, (proj2 (Nat.eqb_neq i j)) by assumption; unfold one_if; ring.
Qed.

(* The classes that are kept, numbered from 0 on, are a point of the problem for fewer classes. *)

Lemma total_of_classes : forall f g K, (forall i, (i < K)%nat -> f i = g i) ->
  total f (classes K) = total g (classes K).
Proof.
  intros f g K agree; induction K as [| K step]; simpl; [reflexivity |].
  rewrite agree, step; [reflexivity | intros; apply agree | ]; lia.
Qed.

Lemma numbered : forall kept K, descending_from K kept -> exists name : nat -> nat,
  kept = map name (classes (length kept)) /\
  (forall i, (i < length kept)%nat -> (name i < K)%nat) /\
  forall i j, (i < length kept)%nat -> (j < length kept)%nat -> (name i =? name j) = (i =? j).
Proof.
  induction kept as [| c rest step]; intros K below; simpl in *.
  - exists (fun i => i); split; [reflexivity | split; lia].
  - destruct below as [first below]; destruct (step c below) as [name [names [smaller distinct]]].
    exists (fun i => if i =? length rest then c else name i); rewrite Nat.eqb_refl; split; [f_equal | split].
    + rewrite names at 1; apply map_ext_in; intros i among.
      assert (member : forall J, In i (classes J) -> (i < J)%nat).
      { induction J as [| J next]; simpl; [tauto | intros [-> | earlier]; [| apply next in earlier]; lia]. }
      apply member in among; destruct (Nat.eqb_spec i (length rest)); [lia | reflexivity].
    + intros i below_i; destruct (Nat.eqb_spec i (length rest)); [lia |].
      apply Nat.lt_trans with c; [apply smaller; lia | exact first].
    + intros i j below_i below_j.
      destruct (Nat.eqb_spec i (length rest)) as [-> | earlier_i], (Nat.eqb_spec j (length rest)) as [-> | earlier_j].
      * rewrite !Nat.eqb_refl; reflexivity.
      * rewrite (proj2 (Nat.eqb_neq (length rest) j)) by lia; apply Nat.eqb_neq; pose proof (smaller j); lia.
      * rewrite (proj2 (Nat.eqb_neq i (length rest))) by lia; apply Nat.eqb_neq; pose proof (smaller i); lia.
      * apply distinct; lia.
Qed.

Lemma a_point_for_fewer : forall d depth K k n lam_H lam lam_V H W V kept, In kept (choices K k) ->
  exists H' V', loss d depth (classes k) n lam_H lam lam_V H' W V' = loss d depth kept n lam_H lam lam_V H W V.
Proof.
  intros d depth K k n lam_H lam lam_V H W V kept among.
  apply choices_are_the_sets in among; destruct among as [below size].
  destruct (numbered kept K below) as [name [names [_ distinct]]]; rewrite size in *.
  exists (fun a j t => H a (name j) t), (fun i a => V (name i) a).
  rewrite names; unfold loss, pairs; rewrite !total_map, map_length.
  f_equal; f_equal; f_equal; f_equal.
  apply total_of_classes; intros i below_i; rewrite total_map; apply total_of_classes; intros j below_j.
  unfold error, output; rewrite distinct by assumption; reflexivity.
Qed.

Theorem removing_classes : forall d depth K k n lam_H lam lam_V m, (2 <= k <= K)%nat -> (1 <= n)%nat ->
  (forall H W V, m <= loss d depth (classes k) n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V) ->
  forall H W V, m <= loss d depth (classes K) n lam_H lam lam_V H W V.
Proof.
  intros d depth K k n lam_H lam lam_V m order samples least H W V.
  apply Rle_trans with (2 := at_most_the_loss d depth K k n lam_H lam lam_V H W V order samples).
  rewrite <- (average_const K k m) by lia; unfold average.
  apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat, number_positive; lia |].
  assert (each : forall kept, In kept (choices K k) ->
    m <= loss d depth kept n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V).
  { intros kept among; destruct (a_point_for_fewer d depth K k n (INR K / INR k * lam_H) lam
      (INR K / INR k * lam_V) H W V kept among) as [H' [V' same]]; rewrite <- same; apply least. }
  induction (choices K k) as [| kept others step]; simpl; [lra |].
  apply Rplus_le_compat; [apply each; left; reflexivity | apply step; intros; apply each; right; assumption].
Qed.
