(* The triangular graph of order r: its vertices are the edges {u, v}, u < v < r, of the complete graph on r vertices,
   and are adjacent where they share one end. A matrix of it has the entry A u v x y in the row {u, v} and the column
   {x, y}. *)

Definition edge (r u v : nat) := (u < v < r)%nat.

Definition over_edges (r : nat) (f : nat -> nat -> R) := sum (fun v => sum (fun u => f u v) v) r.

Definition edge_product (r : nat) (A B : nat -> nat -> nat -> nat -> R) (u v x y : nat) :=
  over_edges r (fun p q => A u v p q * B p q x y).

Definition trace (r : nat) (A : nat -> nat -> nat -> nat -> R) := over_edges r (fun u v => A u v u v).

Definition same (u v x y : nat) := ((u =? x) && (v =? y))%bool.

Definition share_an_end (u v x y : nat) := ((u =? x) || (u =? y) || (v =? x) || (v =? y))%bool.

Definition delta (u v x y : nat) := one_if (same u v x y).

Definition adjacency (u v x y : nat) := one_if (share_an_end u v x y && negb (same u v x y)).

Definition incidence (w u v : nat) := one_if (w =? u) + one_if (w =? v).

(* The number of edges *)

Lemma triangle : forall f r, (forall u v, f u v = f v u) ->
  2 * over_edges r f + sum (fun w => f w w) r = sum (fun v => sum (fun u => f u v) r) r.
Proof.
  intros f r symmetric; unfold over_edges; induction r as [| r step]; [simpl; ring |].
  cbn [sum].
  rewrite (sum_plus (fun v => sum (fun u => f u v) r) (fun v => f r v)), <- step.
  rewrite (sum_ext (fun v => f r v) (fun v => f v r)) by (intros; apply symmetric); ring.
Qed.

Lemma number_of_edges : forall r, over_edges r (fun _ _ => 1) = INR r * (INR r - 1) / 2.
Proof.
  intro r; pose proof (triangle (fun _ _ => 1) r ltac:(reflexivity)) as half.
  cbv beta in half; rewrite !sum_const in half; lra.
Qed.

(* What the eigenvalues and their multiplicities are to be *)

Definition eigenvalue (r : nat) (i : nat) : R :=
  match i with O => 2 * (INR r - 2) | S O => INR r - 4 | _ => -2 end.

Definition multiplicity (r : nat) (i : nat) : R :=
  match i with O => 1 | S O => INR r - 1 | _ => INR r * (INR r - 3) / 2 end.
