/** The orders' tables. DATABASE_URL comes from `uses: ["orders"]`; the tables from migrations/. */
import pg from "pg";
import { type NewOrder, total } from "./order.ts";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
// A connection that breaks while idle is replaced by the next query; without a listener it would end the process.
pool.on("error", (error) => console.error("database:", error.message));

export interface Order {
  readonly id: string;
  readonly email: string;
  readonly status: "awaiting payment" | "paid" | "declined";
  readonly currency: string;
  readonly total: number;
  readonly createdAt: string;
  readonly settledAt: string | null;
  readonly lines: { product: string; quantity: number; price: number }[];
}

const selectOrder = `
  select id, email, status, currency, total, created_at as "createdAt", settled_at as "settledAt",
    (select json_agg(json_build_object('product', product, 'quantity', quantity, 'price', price) order by product)
       from order_lines where order_id = orders.id) as lines
  from orders`;

export const isReachable = () => pool.query("select 1");

export async function findOrder(id: string): Promise<Order | undefined> {
  return (await pool.query(`${selectOrder} where id = $1`, [id])).rows[0];
}

/** Orders whose payment did not come to an end: payments was down, or this process was. Oldest first. */
export async function ordersAwaitingPayment(): Promise<Order[]> {
  const young = "created_at > now() - interval '2 seconds'";
  return (
    await pool.query(`${selectOrder} where status = 'awaiting payment' and not ${young} order by created_at limit 20`)
  ).rows;
}

/** Keeps an order; the same id again changes nothing. One statement, so it is there as a whole or not at all. */
export async function insertOrder(order: NewOrder, currency: string): Promise<void> {
  await pool.query(
    `with new_order as (
       insert into orders (id, email, status, currency, total) values ($1, $2, 'awaiting payment', $3, $4)
       on conflict (id) do nothing returning id)
     insert into order_lines (order_id, product, quantity, price)
       select new_order.id, line.* from new_order, unnest($5::text[], $6::int[], $7::int[]) as line`,
    [
      order.id,
      order.email,
      currency,
      total(order.lines),
      order.lines.map((line) => line.product),
      order.lines.map((line) => line.quantity),
      order.lines.map((line) => line.price),
    ],
  );
}

export async function settleOrder(id: string, status: "paid" | "declined"): Promise<void> {
  await pool.query("update orders set status = $2, settled_at = now() where id = $1 and status = 'awaiting payment'", [
    id,
    status,
  ]);
}

export const closeDatabase = () => pool.end();
