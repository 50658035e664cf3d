// The shop as a shopper sees it, in a real browser: browse, fill the cart, pay, follow the order.
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Shop } from "./shop.ts";

const executablePath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path && existsSync(path));
if (!executablePath) console.warn("SKIPPED: no Chromium on this machine ($CHROMIUM); CI installs it.");

describe.skipIf(!executablePath)("the shop's page", () => {
  let shop: Shop;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    shop = await Shop.copy();
    await shop.up();
    const args = [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on(
      "response",
      (response) => response.status() >= 400 && problems.push(`${response.status()} ${response.url()}`),
    );
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
  }, 60_000);

  test("browse, cart, pay, follow the order", async () => {
    await page.goto(shop.url);
    await page.getByRole("heading", { name: "Sextant" }).waitFor();
    expect(await page.getByRole("button", { name: "Add to cart" }).count()).toBe(8);

    const shelf = (name: string) => page.getByRole("listitem").filter({ hasText: name });
    await shelf("Sextant").getByRole("button").click();
    await shelf("Rope").getByRole("button").click();
    await shelf("Rope").getByRole("button").click();
    expect(await page.locator("#count").textContent()).toBe("3");

    await page.getByRole("button", { name: /^Cart/ }).click();
    await page.getByRole("button", { name: "one less" }).nth(1).click();
    await page.getByLabel("Where shall we write to?").fill("captain@example.com");
    await page.getByRole("button", { name: "Pay €278.00" }).click();

    await page.getByRole("heading", { name: "Thank you!" }).waitFor();
    await page.getByText(/^Paid at/).waitFor();
    expect(await page.locator("#count").textContent()).toBe("0");
    // The address is the order's: whoever opens it again sees the same.
    const id = await page.locator("#order-id").textContent();
    await page.reload();
    await page.getByText(/^Paid at/).waitFor();
    expect(await page.locator("#order-id").textContent()).toBe(id);
    expect(problems).toEqual([]);
  }, 60_000);
});
