(* The ways to keep k of K classes *)

Require Import List FinFun.
Import ListNotations.

Fixpoint total {A : Type} (f : A -> R) (l : list A) : R := match l with [] => 0 | a :: rest => f a + total f rest end.

Fixpoint classes (K : nat) : list nat := match K with O => [] | S K => K :: classes K end.

Fixpoint choices (K k : nat) : list (list nat) :=
  match k, K with
  | O, _ => [[]]
  | S _, O => []
  | S less, S K => choices K k ++ map (cons K) (choices K less)
  end.

Fixpoint descending_from (K : nat) (kept : list nat) : Prop :=
  match kept with [] => True | c :: rest => (c < K)%nat /\ descending_from c rest end.

Lemma descending_further : forall kept K K', (K <= K')%nat -> descending_from K kept -> descending_from K' kept.
Proof. intros [| c rest] K K' order; simpl; [trivial | intros [below rest_below]; split; [lia | exact rest_below]]. Qed.

(* They are the sets of k classes, each one once. *)

Theorem choices_are_the_sets : forall K k kept,
  In kept (choices K k) <-> descending_from K kept /\ length kept = k.
Proof.
  induction K as [| K step]; intros [| k] kept; simpl.
  - split; [intros [<- | []]; simpl; auto | intros [_ empty]; left; destruct kept; [reflexivity | discriminate]].
  - split; [tauto | intros [below size]; destruct kept; simpl in *; [discriminate | lia]].
  - split; [intros [<- | []]; simpl; auto | intros [_ empty]; left; destruct kept; [reflexivity | discriminate]].
  - rewrite in_app_iff, in_map_iff, step; split.
    + intros [[below size] | [rest [<- among]]].
      * split; [apply (descending_further _ K); [lia | exact below] | exact size].
      * rewrite step in among; simpl; destruct among; repeat split; (assumption || lia).
    + intros [below size]; destruct kept as [| c rest]; [discriminate |]; simpl in *; destruct below as [first below].
      destruct (Nat.eq_dec c K) as [-> | differs]; [right; exists rest; rewrite step | left]; repeat split; auto; lia.
Qed.

Theorem no_choice_twice : forall K k, NoDup (choices K k).
Proof.
  induction K as [| K step]; intros [| k]; simpl; try (repeat constructor; simpl; tauto).
  assert (apart : forall with_K, In with_K (map (cons K) (choices K k)) -> ~ In with_K (choices K (S k))).
  { intros with_K; rewrite in_map_iff; intros [rest [<- _]]; rewrite choices_are_the_sets; simpl; lia. }
  assert (second : NoDup (map (cons K) (choices K k))).
  { apply Injective_map_NoDup; [intros a b equal; injection equal; auto | apply step]. }
  induction (step (S k)) as [| a l absent distinct next]; simpl; [exact second |].
  constructor; [rewrite in_app_iff; intros [early | late] | apply next].
  - exact (absent early).
  - exact (apart a late (or_introl eq_refl)).
  - intros with_K late early; exact (apart with_K late (or_intror early)).
Qed.

(* Sums over what is kept *)

Lemma total_app : forall {A} (f : A -> R) l l', total f (l ++ l') = total f l + total f l'.
Proof. intros A f l l'; induction l as [| a l step]; simpl; [| rewrite step]; ring. Qed.

Lemma total_map : forall {A B} (f : B -> R) (g : A -> B) l, total f (map g l) = total (fun a => f (g a)) l.
Proof. intros A B f g l; induction l as [| a l step]; simpl; [| rewrite step]; reflexivity. Qed.

Lemma total_ext : forall {A} (f g : A -> R) l, (forall a, In a l -> f a = g a) -> total f l = total g l.
Proof.
  intros A f g l; induction l as [| a l step]; simpl; [reflexivity | intro agree].
  rewrite (agree a), step; auto.
Qed.

Lemma total_plus : forall {A} (f g : A -> R) l, total (fun a => f a + g a) l = total f l + total g l.
Proof. intros A f g l; induction l as [| a l step]; simpl; [| rewrite step]; ring. Qed.

Lemma total_scale : forall {A} c (f : A -> R) l, total (fun a => c * f a) l = c * total f l.
Proof. intros A c f l; induction l as [| a l step]; simpl; [| rewrite step]; ring. Qed.

Lemma total_const : forall {A} c (l : list A), total (fun _ => c) l = INR (length l) * c.
Proof.
  intros A c l; induction l as [| a l step]; [simpl; ring | cbn [length total]; rewrite S_INR, step; ring].
Qed.

Lemma total_nonnegative : forall {A} (f : A -> R) l, (forall a, In a l -> 0 <= f a) -> 0 <= total f l.
Proof.
  intros A f l; induction l as [| a l step]; simpl; intro sign; [lra |].
  apply Rplus_le_le_0_compat; auto.
Qed.

Definition pairs (g : nat -> nat -> R) (kept : list nat) := total (fun i => total (fun j => g i j) kept) kept.

(* pairs of two different classes *)
Definition mixed (g : nat -> nat -> R) (kept : list nat) := pairs g kept - total (fun i => g i i) kept.

Lemma mixed_cons : forall g c kept, mixed g (c :: kept) = mixed g kept + total (fun i => g c i + g i c) kept.
Proof.
  intros g c kept; unfold mixed, pairs; simpl.
  rewrite (total_plus (fun i => g i c)), (total_plus (fun i => g c i) (fun i => g i c)); ring.
Qed.

Definition number (K k : nat) := INR (length (choices K k)).

Lemma number_next : forall K k, number (S K) (S k) = number K (S k) + number K k.
Proof. intros K k; unfold number; simpl; rewrite app_length, map_length, plus_INR; reflexivity. Qed.

Lemma number_none : forall K, number K 0 = 1.
Proof. intros [| K]; reflexivity. Qed.

Lemma number_positive : forall K k, (k <= K)%nat -> 0 < number K k.
Proof.
  induction K as [| K step]; intros [| k] order; try (unfold number; simpl; lra); [lia |].
  rewrite number_next.
  pose proof (step k ltac:(lia)); pose proof (pos_INR (length (choices K (S k)))); unfold number in *; lra.
Qed.

Lemma number_absorbed : forall K k, INR (S k) * number (S K) (S k) = INR (S K) * number K k.
Proof.
  induction K as [| K step]; intro k; rewrite number_next.
  - destruct k; unfold number; simpl; ring.
  - rewrite Rmult_plus_distr_l, step.
    destruct k as [| k]; [rewrite !number_none, (S_INR (S K)); simpl (INR 1); ring |].
    assert (expand : INR (S (S k)) * number (S K) (S k) = INR (S K) * number K k + number (S K) (S k)).
    { rewrite <- step, (S_INR (S k)); ring. }
    rewrite expand, (S_INR (S K)), !(number_next K k); ring.
Qed.

Lemma singles : forall f K k,
  total (total f) (choices (S K) (S k)) = number K k * total f (classes (S K)).
Proof.
  intro f; induction K as [| K step]; intro k.
  - destruct k as [| k]; simpl; unfold number; simpl; ring.
  - change (choices (S (S K)) (S k)) with (choices (S K) (S k) ++ map (cons (S K)) (choices (S K) k)).
    rewrite total_app, total_map, step.
    rewrite (total_ext _ (fun kept => f (S K) + total f kept)) by reflexivity.
    rewrite total_plus, total_const; fold (number (S K) k).
    change (total f (classes (S (S K)))) with (f (S K) + total f (classes (S K))).
    destruct k as [| k]; [rewrite !number_none; simpl; ring | rewrite step, !(number_next K k); ring].
Qed.

Lemma pairs_kept : forall g K k,
  total (mixed g) (choices (S (S K)) (S (S k))) = number K k * mixed g (classes (S (S K))).
Proof.
  intro g; induction K as [| K step]; intro k.
  - destruct k as [| k]; unfold number; simpl; unfold mixed, pairs; simpl; ring.
  - change (choices (S (S (S K))) (S (S k)))
      with (choices (S (S K)) (S (S k)) ++ map (cons (S (S K))) (choices (S (S K)) (S k))).
    rewrite total_app, total_map, step.
    rewrite (total_ext _ (fun kept => mixed g kept + total (fun i => g (S (S K)) i + g i (S (S K))) kept)) by
      (intros; apply mixed_cons).
    rewrite total_plus, singles.
    change (classes (S (S (S K)))) with (S (S K) :: classes (S (S K))); rewrite mixed_cons.
    destruct k as [| k].
    + assert (alone : total (mixed g) (choices (S (S K)) 1) = 0).
      { rewrite (total_ext _ (fun _ => 0)); [rewrite total_const; ring |]; intros kept among.
        apply choices_are_the_sets in among; destruct among as [_ size].
        destruct kept as [| c [| d rest]]; try discriminate; unfold mixed, pairs; simpl; ring. }
      rewrite alone, !number_none; ring.
    + rewrite step, !(number_next K k); ring.
Qed.

(* On average a class is kept in the share k/K of the choices, two different ones in the share k(k-1)/(K(K-1)). *)

Definition average (K k : nat) (f : list nat -> R) := total f (choices K k) / number K k.

Lemma share_of_a_class : forall f K k, (1 <= k <= K)%nat ->
  average K k (total f) = INR k / INR K * total f (classes K).
Proof.
  intros f [| K] [| k] order; try lia.
  unfold average; rewrite (singles f K k).
  pose proof (number_positive (S K) (S k) ltac:(lia)) as positive; pose proof (number_absorbed K k) as absorbed.
  pose proof (lt_0_INR (S K) ltac:(lia)) as positive_K.
  assert (number K k = INR (S k) * number (S K) (S k) / INR (S K)) as -> by (rewrite absorbed; field; lra).
  field; lra.
Qed.

Lemma share_of_a_pair : forall g K k, (2 <= k <= K)%nat ->
  average K k (mixed g) = INR k * (INR k - 1) / (INR K * (INR K - 1)) * mixed g (classes K).
Proof.
  intros g [| [| K]] [| [| k]] order; try lia.
  unfold average; rewrite (pairs_kept g K k).
  pose proof (number_positive (S (S K)) (S (S k)) ltac:(lia)) as positive.
  pose proof (number_absorbed K k) as once; pose proof (number_absorbed (S K) (S k)) as twice.
  pose proof (lt_0_INR (S K) ltac:(lia)) as positive_K.
  rewrite (S_INR (S k)), (S_INR (S K)) in *; replace (INR (S k) + 1 - 1) with (INR (S k)) by ring;
    replace (INR (S K) + 1 - 1) with (INR (S K)) by ring.
  assert (number K k = INR (S k) * number (S K) (S k) / INR (S K)) as -> by (rewrite once; field; lra).
  assert (number (S K) (S k) = (INR (S k) + 1) * number (S (S K)) (S (S k)) / (INR (S K) + 1)) as -> by
    (rewrite twice; field; lra).
  field; lra.
Qed.
