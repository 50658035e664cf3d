import { describe, expect, test } from "vitest";
import { describeStatement } from "./sql.ts";

describe("literal values are not shown", () => {
  const cases = [
    ["select * from users where name = 'Ann' and age > 42", "select * from users where name = ? and age > ?"],
    ["select 'it''s', E'a\\'b', x'1f', 1.5e-3, .5", "select ?, ?, ?, ?, ?"],
    ["select $$any 'text'$$, $tag$ $$ $tag$", "select ?, ?"],
    ["select * from t where id = $1", "select * from t where id = $1"],
    ["select a1, table2.b3 from table2", "select a1, table2.b3 from table2"],
    ["select 1 -- secret\n/* secret */ + 2", "select ? + ?"],
    ["select\n   a,\n\tb\nfrom c\n", "select a, b from c"],
    ['select "it is" from "a b"', 'select "it is" from "a b"'],
    ["select 'never closed", "select ?"],
    ["select $$never closed", "select ?"],
    ["", ""],
  ] as const;
  test.each(cases)("%s", (sql, text) => expect(describeStatement(sql).text).toBe(text));
});

describe("a summary says what is done to what", () => {
  const cases = [
    ["select 1", "SELECT"],
    ["select * from orders where id = $1", "SELECT orders"],
    ["select a.x from a join shop.b on a.id = b.id left join c using (id)", "SELECT a shop.b c"],
    ["insert into orders (id) values ($1) on conflict (id) do update set n = 1", "INSERT orders"],
    ["update orders set status = $2 where id = $1", "UPDATE orders"],
    ["delete from only orders", "DELETE orders"],
    ["with n as (insert into a values (1) returning id) insert into b select id from n", "INSERT a INSERT b SELECT n"],
    ["select (select count(*) from lines where order_id = o.id) from orders o", "SELECT SELECT lines orders"],
    ["select extract(epoch from t), trim(both from x) from c", "SELECT c"],
    ["select * from (select * from t) as u", "SELECT SELECT t"],
    ["select * from unnest($1::text[]) as x", "SELECT"],
    ["select a is distinct from b from t for update", "SELECT t"],
    ["create table if not exists t (id int references u on delete cascade)", "CREATE t"],
    ['select * from "My Table"', "SELECT My Table"],
    ["begin", "BEGIN"],
    ["set application_name = 'x'", "SET"],
    ["begin; update t set a = 1; commit", "BEGIN UPDATE t COMMIT"],
    ["truncate table t", "TRUNCATE t"],
    ["call refresh(1)", "CALL refresh"],
    ["copy t from stdin", "COPY t"],
    ["nonsense", ""],
  ] as const;
  test.each(cases)("%s", (sql, summary) => expect(describeStatement(sql).summary).toBe(summary));
});

test("operation and table are named where there is one", () => {
  expect(describeStatement("select * from orders")).toMatchObject({ operation: "SELECT", collection: "orders" });
  expect(describeStatement("select * from a, b join c using (id)")).toMatchObject({ collection: undefined });
});
test("a summary ends before it gets long", () =>
  expect(describeStatement("select 1 from abcdefgh;".repeat(50)).summary.length).toBeLessThanOrEqual(255));
test("a statement of a megabyte is cut, not read", () =>
  expect(describeStatement(`select ${"x, ".repeat(300_000)}`).text.length).toBeLessThanOrEqual(8192));
