-- The loop that settles open payments looks for exactly these rows.
create index orders_awaiting_payment on orders (created_at) where status = 'awaiting payment';
