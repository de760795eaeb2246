(* A polynomial with integer coefficients, the constant one first, is positive on an interval or a half-line if
   another one has no negative coefficient: the polynomial at x = (a + b s) / (c + d s), for s >= 0, times a power of
   c + d s. *)

Require Import ZArith List.
Import ListNotations.

Fixpoint value (p : list Z) (x : R) : R := match p with [] => 0 | c :: rest => IZR c + x * value rest x end.

Fixpoint add (p q : list Z) : list Z :=
  match p, q with [], _ => q | _, [] => p | c :: p, d :: q => (c + d)%Z :: add p q end.

Definition times (a b : Z) (p : list Z) : list Z := add (map (Z.mul a) p) (0%Z :: map (Z.mul b) p).

Fixpoint power (a b : Z) (n : nat) : list Z := match n with O => [1%Z] | S n => times a b (power a b n) end.

Fixpoint transformed (a b c d : Z) (p : list Z) : list Z :=
  match p with
  | [] => []
  | first :: rest => add (map (Z.mul first) (power c d (length rest))) (times a b (transformed a b c d rest))
  end.

Definition evidently_positive (p : list Z) : bool :=
  match p with [] => false | first :: rest => ((0 <? first)%Z && forallb (Z.leb 0) rest)%bool end.

Lemma value_of_sum : forall p q x, value (add p q) x = value p x + value q x.
Proof.
  induction p as [| c p step]; intros [| d q] x; simpl; try ring; rewrite plus_IZR, step; ring.
Qed.

Lemma value_of_multiple : forall c p x, value (map (Z.mul c) p) x = IZR c * value p x.
Proof. intros c p x; induction p as [| d p step]; simpl; [ring | rewrite mult_IZR, step; ring]. Qed.

Lemma value_of_times : forall a b p x, value (times a b p) x = (IZR a + IZR b * x) * value p x.
Proof. intros; unfold times; rewrite value_of_sum; simpl value; rewrite !value_of_multiple; ring. Qed.

Lemma value_of_power : forall a b n x, value (power a b n) x = (IZR a + IZR b * x) ^ n.
Proof. intros; induction n as [| n step]; simpl; [ring | rewrite value_of_times, step; ring]. Qed.

Lemma value_transformed : forall a b c d s x p, x * (IZR c + IZR d * s) = IZR a + IZR b * s ->
  value (transformed a b c d p) s = (IZR c + IZR d * s) ^ pred (length p) * value p x.
Proof.
  intros a b c d s x p at_x; induction p as [| first rest step]; [simpl; ring |].
  cbn [transformed length pred value].
  rewrite value_of_sum, value_of_multiple, value_of_power, value_of_times, step, <- at_x.
  destruct rest; simpl; ring.
Qed.

Lemma positive_at_sight : forall p x, evidently_positive p = true -> 0 <= x -> 0 < value p x.
Proof.
  intros [| first rest] x sign positive_x; [discriminate |].
  apply andb_prop in sign; destruct sign as [first_sign others].
  apply Z.ltb_lt, IZR_lt in first_sign; simpl.
  assert (0 <= value rest x); [| assert (0 <= x * value rest x) by (apply Rmult_le_pos; assumption); lra].
  induction rest as [| next rest step]; simpl in *; [lra |].
  apply andb_prop in others; destruct others as [next_sign others].
  apply Z.leb_le, IZR_le in next_sign; pose proof (step others) as rest_sign.
  assert (0 <= x * value rest x) by (apply Rmult_le_pos; assumption); lra.
Qed.

Lemma positive_where : forall a b c d p s x, 0 <= s -> 0 < IZR c + IZR d * s ->
  x * (IZR c + IZR d * s) = IZR a + IZR b * s -> evidently_positive (transformed a b c d p) = true -> 0 < value p x.
Proof.
  intros a b c d p s x sign below at_x certified; apply (positive_at_sight _ s) in certified; [| exact sign].
  rewrite (value_transformed a b c d s x p at_x) in certified.
  apply Rmult_lt_reg_l with ((IZR c + IZR d * s) ^ pred (length p)); [apply pow_lt, below | lra].
Qed.

(* between l / d and u / d *)
Lemma positive_between : forall (l u d : Z) p x, (0 < d)%Z -> IZR l / IZR d <= x < IZR u / IZR d ->
  evidently_positive (transformed l u d d p) = true -> 0 < value p x.
Proof.
  intros l u d p x positive_d [from to] certified; apply IZR_lt in positive_d.
  assert (0 < IZR u / IZR d - x) by lra.
  apply (positive_where l u d d p ((x - IZR l / IZR d) / (IZR u / IZR d - x))); [| | | exact certified].
  - apply Rmult_le_pos; [lra | apply Rlt_le, Rinv_0_lt_compat; lra].
  - assert (0 <= (x - IZR l / IZR d) / (IZR u / IZR d - x)); [| nra].
    apply Rmult_le_pos; [lra | apply Rlt_le, Rinv_0_lt_compat; lra].
  - set (lower := IZR l / IZR d) in *; set (upper := IZR u / IZR d) in *.
    replace (IZR l) with (lower * IZR d) by (unfold lower; field; lra).
    replace (IZR u) with (upper * IZR d) by (unfold upper; field; lra).
    field; lra.
Qed.

(* from l / d to infinity *)
Lemma positive_beyond : forall (l d : Z) p x, (0 < d)%Z -> IZR l / IZR d <= x ->
  evidently_positive (transformed l d d 0 p) = true -> 0 < value p x.
Proof.
  intros l d p x positive_d from certified; apply IZR_lt in positive_d.
  apply (positive_where l d d 0 p (x - IZR l / IZR d)); [lra | lra | field; lra | exact certified].
Qed.
