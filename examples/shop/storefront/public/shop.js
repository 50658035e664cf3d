// The page: browse, fill a cart, pay, follow the order. The address (#order/…) says what is shown, so it can be kept and shared.
const view = document.querySelector("#view");
const dialog = document.querySelector("#cart");
const cart = new Map(Object.entries(JSON.parse(localStorage.getItem("cart") ?? "{}")));
let products = [];

const money = (cents, currency = "EUR") =>
  new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100);
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const product = (id) => products.find((one) => one.id === id) ?? { name: id, price: 0 };

async function ask(path, init) {
  const response = await fetch(path, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

function keep(id, quantity) {
  if (quantity > 0) cart.set(id, quantity);
  else cart.delete(id);
  localStorage.setItem("cart", JSON.stringify(Object.fromEntries(cart)));
  document.querySelector("#count").textContent = [...cart.values()].reduce((sum, one) => sum + one, 0);
}

function showProducts() {
  view.innerHTML = `<ul class="products">${products
    .map(
      (one) => `<li>
        <div class="picture" aria-hidden="true">${one.picture}</div>
        <h2>${escaped(one.name)}</h2><p>${escaped(one.text)}</p>
        <div class="buy"><span class="price">${money(one.price)}</span>
        <button type="button" data-add="${one.id}">Add to cart</button></div></li>`,
    )
    .join("")}</ul>`;
}

function showCart() {
  const lines = [...cart].map(([id, quantity]) => ({ ...product(id), id, quantity }));
  const total = lines.reduce((sum, one) => sum + one.price * one.quantity, 0);
  dialog.innerHTML = lines.length
    ? `<table><tbody>${lines
        .map(
          (one) => `<tr><td>${escaped(one.name)}</td>
            <td><button class="quiet" data-less="${one.id}" aria-label="one less">−</button>${one.quantity}
            <button class="quiet" data-add="${one.id}" aria-label="one more">+</button></td>
            <td class="price">${money(one.price * one.quantity)}</td></tr>`,
        )
        .join("")}</tbody>
      <tfoot><tr><td>Total</td><td></td><td class="price">${money(total)}</td></tr></tfoot></table>
      <form method="dialog"><label>Where shall we write to?<input name="email" type="email" required value="captain@example.com"></label>
      <p class="error" role="alert"></p><button data-pay>Pay ${money(total)}</button></form>`
    : "<p>Nothing in it yet.</p><form method=dialog><button>Back to the shelves</button></form>";
  if (!dialog.open) dialog.showModal();
}

async function pay(form) {
  const button = form.querySelector("[data-pay]");
  button.disabled = true;
  try {
    // The id is made here: pressing twice, or a retry on the way, still makes one order.
    form.dataset.order ??= crypto.randomUUID();
    const order = await ask("/api/orders", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        id: form.dataset.order,
        email: form.email.value,
        lines: [...cart].map(([id, quantity]) => ({ product: id, quantity })),
      }),
    });
    for (const id of [...cart.keys()]) keep(id, 0);
    dialog.close();
    location.hash = `order/${order.id}`;
  } catch (error) {
    form.querySelector(".error").textContent = error.message;
    button.disabled = false;
  }
}

async function followOrder(id) {
  let order;
  try {
    order = await ask(`/api/orders/${id}`);
  } catch (error) {
    view.innerHTML = `<p class="error">${escaped(error.message)}</p>`;
  }
  if (location.hash !== `#order/${id}`) return;
  if (order) {
    const when = (time) => new Date(time).toLocaleTimeString();
    const settled = { paid: ["done", "Paid"], declined: ["failed", "Payment declined"] }[order.status];
    view.innerHTML = `<section class="order"><h1>Thank you!</h1>
      <p>Order <code id="order-id">${escaped(order.id)}</code>, for ${escaped(order.email)}</p>
      <ol class="steps"><li class="done">Taken at ${when(order.createdAt)}</li>
      <li class="${settled?.[0] ?? ""}" id="payment">${settled ? `${settled[1]} at ${when(order.settledAt)}` : "Waiting for payment"}</li></ol>
      <table><tbody>${order.lines
        .map(
          (line) =>
            `<tr><td>${line.quantity} × ${escaped(product(line.product).name)}</td><td class="price">${money(line.price * line.quantity, order.currency)}</td></tr>`,
        )
        .join(
          "",
        )}</tbody><tfoot><tr><td>Total</td><td class="price">${money(order.total, order.currency)}</td></tr></tfoot></table>
      <p><a href="#shelves">Back to the shelves</a></p></section>`;
  }
  if (order?.status !== "paid" && order?.status !== "declined") setTimeout(() => followOrder(id), 1000);
}

function show() {
  const order = /^#order\/(.+)$/.exec(location.hash)?.[1];
  if (order) followOrder(order);
  else showProducts();
}

document.querySelector("#open-cart").addEventListener("click", showCart);
document.addEventListener("click", (event) => {
  const { add, less } = event.target.dataset ?? {};
  if (add) keep(add, (cart.get(add) ?? 0) + 1);
  if (less) keep(less, cart.get(less) - 1);
  if (dialog.open && (add || less)) showCart();
});
dialog.addEventListener("submit", (event) => {
  if (!event.target.querySelector("[data-pay]")) return;
  event.preventDefault();
  pay(event.target);
});
addEventListener("hashchange", show);

try {
  ({ products } = await ask("/api/products"));
  keep(undefined, 0);
  show();
} catch (error) {
  view.innerHTML = `<p class="error">${escaped(error.message)}</p>`;
}
