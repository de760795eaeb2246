(* The problem, for a graph of order r with K = r (r - 1) / 2 edges, 3 + extra layers and the scale u or v of the last
   one. Twice a loss is norms + fit; kappa carries n and all the regularisations. *)

Definition classes (r : R) := r * (r - 1) / 2.
Definition nuclear (r : R) := sqrt 2 + sqrt ((r - 1) * (r - 2)).
Definition ratio (r : R) (extra : nat) := nuclear r ^ 2 / (2 * classes r) * (r / classes r) ^ extra.

Definition fit_collapse (u : R) := 1 / (1 + u).
Definition fit_graph (r v : R) :=
  2 / (r * (r - 1)) / (1 + ((r - 2) * (r - 3) / 2) ^ 2 * v)
  + 2 / r / (1 + (r - 3) ^ 2 * v)
  + (r - 3) / (r - 1) / (1 + v).

Definition layers (extra : nat) := INR (3 + extra).
Definition norms (extra : nat) (kappa x : R) := layers extra * kappa * Rpower x (/ layers extra).
Definition collapse (extra : nat) (kappa u : R) := norms extra kappa u + fit_collapse u.
Definition graph (r : R) (extra : nat) (kappa v : R) := norms extra kappa (ratio r extra * v) + fit_graph r v.

Definition in_range (r : R) (extra : nat) := 5 <= r \/ 4 <= r /\ (1 <= extra)%nat.

(* Their minima, the zero solution with twice the loss 1 among what they are taken over. *)

Definition least (loss : R -> R) (m : R) :=
  (m = 1 \/ exists x, 0 < x /\ m = loss x) /\ m <= 1 /\ forall x, 0 < x -> m <= loss x.
