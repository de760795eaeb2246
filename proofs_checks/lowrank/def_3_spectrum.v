(* Edges through given vertices *)

Lemma sum_of_indicators : forall a n, (a < n)%nat -> sum (fun i => one_if (a =? i)) n = 1.
Proof.
  intros a n below; rewrite <- (sum_indicator a (fun _ => 1) n below); apply sum_ext; intros i _.
  rewrite one_if_symmetric; ring.
Qed.

Lemma edges_through : forall r w z, (w < r)%nat -> (z < r)%nat ->
  over_edges r (fun u v => incidence w u v * incidence z u v) = (INR r - 2) * one_if (w =? z) + 1.
Proof.
  intros r w z below_w below_z.
  pose proof (triangle (fun u v => incidence w u v * incidence z u v) r) as half.
  lapply half; [clear half; intro half | intros u v; unfold incidence; ring].
  assert (meet : sum (fun u => one_if (w =? u) * one_if (z =? u)) r = one_if (w =? z)).
  { rewrite (sum_ext _ (fun u => one_if (u =? w) * one_if (z =? u))) by
      (intros u _; rewrite (one_if_symmetric w u); reflexivity).
    rewrite sum_indicator by assumption; apply one_if_symmetric. }
  assert (on_diagonal : sum (fun u => incidence w u u * incidence z u u) r = 4 * one_if (w =? z)).
  { rewrite <- meet, <- sum_scale; apply sum_ext; intros u _; unfold incidence; ring. }
  assert (everywhere : sum (fun v => sum (fun u => incidence w u v * incidence z u v) r) r
    = 2 * INR r * one_if (w =? z) + 2).
  { rewrite (sum_ext _ (fun v => one_if (w =? z) + (one_if (z =? v) + (one_if (w =? v)
      + INR r * (one_if (w =? v) * one_if (z =? v)))))).
    - rewrite !sum_plus, sum_scale, sum_const, meet, !sum_of_indicators by assumption; ring.
    - intros v _; unfold incidence.
      rewrite (sum_ext _ (fun u => one_if (w =? u) * one_if (z =? u) + (one_if (z =? v) * one_if (w =? u)
        + (one_if (w =? v) * one_if (z =? u) + one_if (w =? v) * one_if (z =? v))))) by (intros; ring).
      rewrite !sum_plus, !sum_scale, sum_const, meet, !sum_of_indicators by assumption; ring. }
  lra.
Qed.

(* T T^T and T^T T, for T = incidence / sqrt (r - 1) *)

Lemma common_ends : forall r u v x y, edge r u v -> edge r x y ->
  sum (fun w => incidence w u v * incidence w x y) r = 2 * delta u v x y + adjacency u v x y.
Proof.
  unfold edge; intros r u v x y e f.
  rewrite (sum_ext _ (fun w => one_if (w =? u) * incidence w x y + one_if (w =? v) * incidence w x y)) by
    (intros; unfold incidence; ring).
  rewrite sum_plus, !(sum_indicator _ (fun w => incidence w x y)) by lia.
  unfold incidence, delta, adjacency, share_an_end, same.
  destruct (Nat.eqb_spec u x), (Nat.eqb_spec u y), (Nat.eqb_spec v x), (Nat.eqb_spec v y); simpl; try lra; exfalso; lia.
Qed.

Definition T (r : nat) (w u v : nat) := incidence w u v / sqrt (INR r - 1).

Theorem rows_of_T : forall r w z, (4 <= r)%nat -> (w < r)%nat -> (z < r)%nat ->
  over_edges r (fun u v => T r w u v * T r z u v) = ((INR r - 2) * identity w z + 1) / (INR r - 1).
Proof.
  intros r w z order below_w below_z; unfold identity.
  apply le_INR in order; simpl INR in order.
  rewrite <- (edges_through r w z below_w below_z); unfold over_edges, T.
  assert (root : sqrt (INR r - 1) * sqrt (INR r - 1) = INR r - 1) by (apply sqrt_sqrt; lra).
  assert (positive_root : 0 < sqrt (INR r - 1)) by (apply sqrt_lt_R0; lra).
  unfold Rdiv at 3; rewrite (Rmult_comm _ (/ (INR r - 1))), <- sum_scale; apply sum_ext; intros v _.
  rewrite <- sum_scale; apply sum_ext; intros u _.
  rewrite <- root at 3; field; lra.
Qed.

Theorem columns_of_T : forall r u v x y, (4 <= r)%nat -> edge r u v -> edge r x y ->
  sum (fun w => T r w u v * T r w x y) r = (2 * delta u v x y + adjacency u v x y) / (INR r - 1).
Proof.
  intros r u v x y order e f.
  apply le_INR in order; simpl INR in order.
  rewrite <- (common_ends r u v x y e f); unfold T.
  assert (root : sqrt (INR r - 1) * sqrt (INR r - 1) = INR r - 1) by (apply sqrt_sqrt; lra).
  assert (positive_root : 0 < sqrt (INR r - 1)) by (apply sqrt_lt_R0; lra).
  unfold Rdiv at 3; rewrite (Rmult_comm _ (/ (INR r - 1))), <- sum_scale; apply sum_ext; intros w _.
  rewrite <- root at 3; field; lra.
Qed.

(* The algebra that the unit matrix, the adjacency matrix and the matrix of ones span *)

Definition combination (a b c : R) (u v x y : nat) := a * delta u v x y + b * adjacency u v x y + c.

Lemma over_edges_ext : forall r f g, (forall u v, edge r u v -> f u v = g u v) -> over_edges r f = over_edges r g.
Proof.
  intros r f g agree; unfold over_edges; apply sum_ext; intros v below_v; apply sum_ext; intros u below_u.
  apply agree; unfold edge; lia.
Qed.

Lemma over_edges_plus : forall r f g, over_edges r (fun u v => f u v + g u v) = over_edges r f + over_edges r g.
Proof. intros r f g; unfold over_edges; rewrite <- sum_plus; apply sum_ext; intros; apply sum_plus. Qed.

Lemma over_edges_scale : forall r c f, over_edges r (fun u v => c * f u v) = c * over_edges r f.
Proof. intros r c f; unfold over_edges; rewrite <- sum_scale; apply sum_ext; intros; apply sum_scale. Qed.

Lemma over_edges_swap : forall r f n,
  over_edges r (fun u v => sum (fun w => f w u v) n) = sum (fun w => over_edges r (f w)) n.
Proof.
  intros r f n; unfold over_edges; rewrite sum_swap; apply sum_ext; intros v _; apply sum_swap.
Qed.

Lemma delta_picks : forall r f u v, edge r u v -> over_edges r (fun p q => delta u v p q * f p q) = f u v.
Proof.
  unfold edge; intros r f u v e; unfold over_edges.
  rewrite (sum_ext _ (fun q => one_if (q =? v) * sum (fun p => one_if (p =? u) * f p q) q)).
  - rewrite (sum_indicator v (fun q => sum (fun p => one_if (p =? u) * f p q) q)) by lia.
    apply (sum_indicator u (fun p => f p v)); lia.
  - intros q _; rewrite <- sum_scale; apply sum_ext; intros p _; unfold delta, same.
    rewrite (Nat.eqb_sym u p), (Nat.eqb_sym v q); destruct (p =? u), (q =? v); simpl; ring.
Qed.

Lemma delta_symmetric : forall u v x y, delta u v x y = delta x y u v.
Proof. intros u v x y; unfold delta, same; rewrite (Nat.eqb_sym u), (Nat.eqb_sym v); reflexivity. Qed.

Lemma ends_of_edges : forall r u v, edge r u v -> sum (fun w => incidence w u v) r = 2.
Proof.
  unfold edge; intros r u v e; unfold incidence; rewrite sum_plus.
  rewrite (sum_ext (fun w => one_if (w =? u)) (fun w => one_if (u =? w))) by (intros; apply one_if_symmetric).
  rewrite (sum_ext (fun w => one_if (w =? v)) (fun w => one_if (v =? w))) by (intros; apply one_if_symmetric).
  rewrite !sum_of_indicators by lia; ring.
Qed.

Lemma edges_at : forall r w, (w < r)%nat -> over_edges r (fun u v => incidence w u v) = INR r - 1.
Proof.
  intros r w below; pose proof (triangle (fun u v => incidence w u v) r) as half.
  lapply half; [clear half; intro half | intros u v; unfold incidence; ring].
  assert (on_diagonal : sum (fun u => incidence w u u) r = 2).
  { rewrite (sum_ext _ (fun u => 2 * one_if (w =? u))) by (intros; unfold incidence; ring).
    rewrite sum_scale, sum_of_indicators by assumption; ring. }
  assert (everywhere : sum (fun v => sum (fun u => incidence w u v) r) r = 2 * INR r).
  { rewrite (sum_ext _ (fun v => 1 + INR r * one_if (w =? v))).
    - rewrite sum_plus, sum_scale, sum_const, sum_of_indicators by assumption; ring.
    - intros v _; unfold incidence; rewrite sum_plus, sum_const, sum_of_indicators by assumption; ring. }
  lra.
Qed.

Definition overlap (u v x y : nat) := 2 * delta u v x y + adjacency u v x y.

Lemma overlap_squared : forall r u v x y, edge r u v -> edge r x y ->
  edge_product r overlap overlap u v x y = (INR r - 2) * overlap u v x y + 4.
Proof.
  intros r u v x y e f; unfold edge_product.
  rewrite (over_edges_ext r _ (fun p q => sum (fun w => sum (fun z =>
    incidence w u v * incidence z x y * (incidence w p q * incidence z p q)) r) r)).
  - rewrite over_edges_swap.
    rewrite (sum_ext _ (fun w => (INR r - 2) * (incidence w u v * incidence w x y)
      + sum (fun z => incidence z x y) r * incidence w u v)).
    + rewrite sum_plus, !sum_scale, !ends_of_edges, (common_ends r) by assumption; unfold overlap; ring.
    + intros w below_w; rewrite over_edges_swap.
      rewrite (sum_ext _ (fun z => (INR r - 2) * incidence w u v * (one_if (z =? w) * incidence z x y)
        + incidence w u v * incidence z x y)).
      * rewrite sum_plus, !sum_scale, (sum_indicator w (fun z => incidence z x y)) by assumption; ring.
      * intros z below_z; rewrite over_edges_scale, edges_through, (one_if_symmetric z) by assumption; ring.
  - intros p q g; unfold overlap; rewrite <- !(common_ends r) by assumption.
    rewrite <- sum_scale.
    rewrite (sum_ext _ (fun z => sum (fun w => incidence z x y * incidence z p q *
      (incidence w u v * incidence w p q)) r)) by (intros; rewrite sum_scale; ring).
    rewrite sum_swap; apply sum_ext; intros w _; apply sum_ext; intros z _; ring.
Qed.

Lemma overlap_rows : forall r u v, edge r u v -> over_edges r (fun p q => overlap u v p q) = 2 * (INR r - 1).
Proof.
  intros r u v e.
  rewrite (over_edges_ext r _ (fun p q => sum (fun w => incidence w u v * incidence w p q) r)) by
    (intros p q g; symmetry; apply (common_ends r); assumption).
  rewrite over_edges_swap, (sum_ext _ (fun w => (INR r - 1) * incidence w u v)).
  - rewrite sum_scale, ends_of_edges by assumption; ring.
  - intros w below; rewrite over_edges_scale, edges_at by assumption; ring.
Qed.

Lemma overlap_symmetric : forall u v x y, overlap u v x y = overlap x y u v.
Proof.
  intros u v x y; unfold overlap, delta, adjacency, share_an_end, same.
  rewrite (Nat.eqb_sym x u), (Nat.eqb_sym x v), (Nat.eqb_sym y u), (Nat.eqb_sym y v).
  destruct (u =? x), (u =? y), (v =? x), (v =? y); reflexivity.
Qed.

Lemma product_of_combinations : forall r a b c a' b' c' u v x y, edge r u v -> edge r x y ->
  edge_product r (combination a b c) (combination a' b' c') u v x y
  = combination
      (a * a' + 2 * (INR r - 2) * (b * b'))
      (a * b' + b * a' + (INR r - 2) * (b * b') + 0 * c)
      (a * c' + c * a' + 2 * (INR r - 2) * (b * c' + c * b') + INR r * (INR r - 1) / 2 * (c * c'))
      u v x y
    + 4 * (b * b') * (1 - delta u v x y - adjacency u v x y).
Proof.
  intros r a b c a' b' c' u v x y e f; unfold edge_product.
  rewrite (over_edges_ext r _ (fun p q =>
    (a - 2 * b) * (delta u v p q * combination a' b' c' p q x y)
    + (b * (a' - 2 * b') * (delta x y p q * overlap u v p q)
    + (b * b' * (overlap u v p q * overlap p q x y)
    + (b * c' * overlap u v p q
    + (c * (a' - 2 * b') * (delta x y p q * 1)
    + (c * b' * overlap x y p q
    + c * c' * 1))))))).
  - rewrite !over_edges_plus, !over_edges_scale, number_of_edges.
    rewrite (delta_picks r (fun p q => combination a' b' c' p q x y)), (delta_picks r (fun p q => overlap u v p q)),
      (delta_picks r (fun _ _ => 1)), !overlap_rows by assumption.
    pose proof (overlap_squared r u v x y e f) as square; unfold edge_product in square; rewrite square.
    unfold combination, overlap; field.
  - intros p q _; rewrite (overlap_symmetric x y); unfold combination, overlap.
    rewrite (delta_symmetric x y); ring.
Qed.

(* Strongly regular: the number of vertices; of neighbours; of common neighbours of adjacent and of other vertices *)

Theorem strongly_regular : forall r u v x y, (4 <= r)%nat -> edge r u v -> edge r x y ->
  over_edges r (fun _ _ => 1) = INR r * (INR r - 1) / 2 /\
  edge_product r adjacency adjacency u v x y
  = 2 * (INR r - 2) * delta u v x y + (INR r - 2) * adjacency u v x y
    + 4 * (1 - delta u v x y - adjacency u v x y).
Proof.
  intros r u v x y order e f; split; [apply number_of_edges |].
  pose proof (product_of_combinations r 0 1 0 0 1 0 u v x y e f) as square.
  unfold edge_product in *.
  rewrite (over_edges_ext r _ (fun p q => combination 0 1 0 u v p q * combination 0 1 0 p q x y)) by
    (intros; unfold combination; ring).
  rewrite square; unfold combination; ring.
Qed.

Theorem neither_complete_nor_empty : forall r, (4 <= r)%nat ->
  edge r 0 1 /\ edge r 0 2 /\ edge r 2 3 /\ adjacency 0 1 0 2 = 1 /\ adjacency 0 1 2 3 = 0 /\ delta 0 1 2 3 = 0.
Proof. unfold edge; intros r order; repeat split; lia. Qed.

(* The spectrum: the projections on three spaces, at right angles to each other and together the whole; a projection's
   trace is the space's dimension. *)

Definition projection (r : nat) (i : nat) : nat -> nat -> nat -> nat -> R :=
  let all := / (INR r * (INR r - 1) / 2) in
  match i with
  | O => combination 0 0 all
  | S O => combination (2 / (INR r - 2)) (1 / (INR r - 2)) (- (2 * (INR r - 1) / (INR r - 2)) * all)
  | _ => combination (1 - 2 / (INR r - 2)) (- (1 / (INR r - 2))) ((2 * (INR r - 1) / (INR r - 2) - 1) * all)
  end.

Theorem projections : forall r i j u v x y, (4 <= r)%nat -> (i < 3)%nat -> (j < 3)%nat -> edge r u v -> edge r x y ->
  edge_product r (projection r i) (projection r j) u v x y = one_if (i =? j) * projection r i u v x y /\
  projection r i u v x y = projection r i x y u v.
Proof.
  intros r i j u v x y order first second e f; split.
  - apply le_INR in order; simpl INR in order.
    destruct i as [| [| [|]]]; [| | | lia]; (destruct j as [| [| [|]]]; [| | | lia]);
      unfold projection; rewrite product_of_combinations by assumption; unfold combination; simpl one_if; field; lra.
  - pose proof (overlap_symmetric u v x y) as symmetric; unfold overlap in symmetric.
    rewrite (delta_symmetric u v x y) in symmetric.
    assert (adjacency u v x y = adjacency x y u v) as swap by lra.
    destruct i as [| [| [|]]]; unfold projection, combination; rewrite (delta_symmetric u v), swap; reflexivity.
Qed.

Theorem spectrum : forall r u v x y, (4 <= r)%nat -> edge r u v -> edge r x y ->
  sum (fun i => projection r i u v x y) 3 = delta u v x y /\
  sum (fun i => eigenvalue r i * projection r i u v x y) 3 = adjacency u v x y.
Proof.
  intros r u v x y order e f; apply le_INR in order; simpl INR in order.
  unfold sum, projection, eigenvalue, combination; split; field; lra.
Qed.

Theorem multiplicities : forall r i, (4 <= r)%nat -> (i < 3)%nat -> trace r (projection r i) = multiplicity r i.
Proof.
  intros r i order below.
  assert (on_diagonal : forall a b c, trace r (combination a b c) = (a + c) * (INR r * (INR r - 1) / 2)).
  { intros a b c; rewrite <- number_of_edges, <- over_edges_scale; unfold trace; apply over_edges_ext; intros u v _.
    unfold combination, delta, adjacency, same; rewrite !Nat.eqb_refl; simpl; rewrite Bool.andb_false_r; simpl; ring. }
  apply le_INR in order; simpl INR in order.
  destruct i as [| [| [|]]]; [| | | lia]; unfold projection; rewrite on_diagonal; unfold multiplicity; field; lra.
Qed.

(* Any eigenvalue is one of the three. *)

Lemma over_edges_exchange : forall r f,
  over_edges r (fun u v => over_edges r (fun p q => f u v p q))
  = over_edges r (fun p q => over_edges r (fun u v => f u v p q)).
Proof.
  intros r f; unfold over_edges at 2.
  rewrite (over_edges_swap r (fun q u v => sum (fun p => f u v p q) q)); apply sum_ext; intros q _.
  apply (over_edges_swap r (fun p u v => f u v p q)).
Qed.

Lemma eigenspaces : forall r i u v x y, (4 <= r)%nat -> (i < 3)%nat -> edge r u v -> edge r x y ->
  edge_product r (projection r i) adjacency u v x y = eigenvalue r i * projection r i u v x y.
Proof.
  intros r i u v x y order below e f; apply le_INR in order; simpl INR in order.
  assert (same_product : forall a b c, edge_product r (combination a b c) adjacency u v x y
    = edge_product r (combination a b c) (combination 0 1 0) u v x y).
  { intros a b c; unfold edge_product; apply over_edges_ext; intros p q _; unfold combination; ring. }
  destruct i as [| [| [|]]]; [| | | lia]; unfold projection;
    rewrite same_product, product_of_combinations by assumption; unfold combination, eigenvalue; field; lra.
Qed.

Theorem no_other_eigenvalue : forall r x theta, (4 <= r)%nat ->
  (forall u v, edge r u v -> over_edges r (fun p q => adjacency u v p q * x p q) = theta * x u v) ->
  (forall i, (i < 3)%nat -> theta <> eigenvalue r i) -> forall u v, edge r u v -> x u v = 0.
Proof.
  intros r x theta order eigenvector other.
  set (part := fun i u v => over_edges r (fun p q => projection r i u v p q * x p q)).
  assert (vanishes : forall i u v, (i < 3)%nat -> edge r u v -> part i u v = 0).
  { intros i u v below e.
    assert (both : eigenvalue r i * part i u v = theta * part i u v).
    { unfold part; rewrite <- !over_edges_scale.
      transitivity (over_edges r (fun p q => over_edges r (fun s t =>
        projection r i u v s t * adjacency s t p q * x p q))).
      - apply over_edges_ext; intros p q g.
        rewrite (over_edges_ext r _ (fun s t => x p q * (projection r i u v s t * adjacency s t p q))) by
          (intros; ring).
        rewrite over_edges_scale; pose proof (eigenspaces r i u v p q order below e g) as space.
        unfold edge_product in space; rewrite space; ring.
      - rewrite <- over_edges_exchange; apply over_edges_ext; intros s t g.
        rewrite (over_edges_ext r _ (fun p q => projection r i u v s t * (adjacency s t p q * x p q))) by
          (intros; ring).
        rewrite over_edges_scale, eigenvector by assumption; ring. }
    pose proof (other i below); apply Rmult_eq_reg_l with (theta - eigenvalue r i); lra. }
  intros u v e; rewrite <- (delta_picks r x u v e).
  transitivity (part 0%nat u v + part 1%nat u v + part 2%nat u v).
  - unfold part; rewrite <- !over_edges_plus; apply over_edges_ext; intros p q g.
    destruct (spectrum r u v p q order e g) as [whole _]; rewrite <- whole; cbn [sum]; ring.
  - rewrite !vanishes by (assumption || lia); ring.
Qed.
