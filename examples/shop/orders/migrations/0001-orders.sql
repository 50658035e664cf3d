create table orders (
  id uuid primary key,
  email text not null,
  status text not null check (status in ('awaiting payment', 'paid', 'declined')),
  currency text not null,
  total integer not null check (total > 0),
  created_at timestamptz not null default now(),
  settled_at timestamptz
);

create table order_lines (
  order_id uuid not null references orders (id) on delete cascade,
  product text not null,
  quantity integer not null check (quantity > 0),
  price integer not null check (price >= 0),
  primary key (order_id, product)
);
