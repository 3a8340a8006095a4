// A key that is for some countries alone, with a country database and without one.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, person, test as base } from "../kit.mjs";
import { writeCountries } from "../mmdb.mjs";

const test = base.extend({
    settings: async ({}, use) => {
        const folder = await mkdtemp(join(tmpdir(), "keywright-countries-"));
        const path = join(folder, "countries.mmdb");
        await writeCountries(path, { "198.51.100.0/24": "DE", "203.0.113.0/25": "FR", "203.0.113.128/25": "US" });
        await use({ KEYWRIGHT_COUNTRY_DATABASE: path });
        await rm(folder, { recursive: true });
    },
});

test("a key is limited to countries, refused from others, and shows where it was used", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await page.goto("/settings/api-keys/new");
    await ada.settled();
    await page.getByRole("radio", { name: /^Live/ }).check();
    await ada.field("Name").fill("Storefront");
    await page.getByRole("checkbox", { name: "read" }).first().check();
    await page.getByText("Addresses, resources, hours").click();
    await page.getByText("Country codes").click();
    await expect(page.getByText("Côte d’Ivoire")).toBeVisible();
    await page.getByLabel("Allowed countries").fill("de, UK");
    watch.expects(422);
    await ada.sends(ada.submit());
    await expect(page.locator("#country_allow-error")).toContainText("UK is not a country code; use GB.");
    await ada.axe();
    await page.getByLabel("Allowed countries").fill("fr, DE");
    await ada.sends(ada.submit());
    const secret = await ada.readsSecret();
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Storefront");
    await expect(page.getByText("Only from addresses in Germany, France.")).toBeVisible();

    const ask = (clientIp) => app.verify(app.made.serviceToken, secret, { body: { clientIp } });
    const elsewhere = await ask("203.0.113.200");
    expect(elsewhere.code).toBe("COUNTRY_NOT_ALLOWED");
    expect(elsewhere.denial.detail).toContain("is in United States (US), which is not among the countries");
    expect((await ask("10.1.2.3")).denial.detail).toContain("The country of 10.1.2.3 is not known");
    expect((await ask("198.51.100.7")).code).toBe("VALID");
    await expect(async () => {
        await page.reload();
        await expect(page.getByText("198.51.100.7, Germany")).toBeVisible({ timeout: 500 });
    }).toPass();
    await ada.sends(ada.link("Edit"));
    await ada.sees("Edit key");
    await expect(page.getByLabel("Allowed countries")).toHaveValue("DE\nFR");
    await expect(page.getByText("Allowed: Germany, France.")).toBeVisible();
    await page.getByLabel("Allowed countries").fill("");
    await page.getByLabel("Denied countries").fill("US");
    await ada.sends(ada.button("Save"));
    await ada.sees("Storefront");
    await expect(page.getByText("Never from addresses in United States.")).toBeVisible();
    expect((await ask("203.0.113.200")).code).toBe("COUNTRY_NOT_ALLOWED");
    expect((await ask("10.1.2.3")).code).toBe("VALID");
});

base("without a country database the form says what is needed", async ({ app, page, watch, javaScriptEnabled }) => {
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await ada.opens("/settings/api-keys/new", "Create API key");
    await page.getByText("Addresses, resources, hours").click();
    await expect(page.getByText("Keys can be limited to countries once this installation has a country database.")).toBeVisible();
    await expect(page.getByText("KEYWRIGHT_COUNTRY_DATABASE")).toBeVisible();
    await expect(page.getByLabel("Allowed countries")).toHaveCount(0);
    await ada.axe();
});
