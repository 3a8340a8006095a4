// Policy: looked at before it is saved, told on keys, and in the way of what breaks it.
import { expect, person, test } from "../kit.mjs";

test("an owner looks at what a policy would break, saves it, and it holds", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await ada.createsKey("Production server");
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Production server");
    const address = page.url().split("?")[0];

    await ada.opens("/settings/policy", "Policy");
    await ada.sees("Policy");
    await ada.axe();
    await ada.sends(ada.link("Change the policy for live keys"));
    await ada.sees("Live keys");
    await ada.axe();
    watch.expects(422);
    await page.getByLabel("Longest overlap in hours").fill("900");
    await page.getByLabel("A key must name the addresses it is used from").check();
    await ada.sends(ada.button("See what it would break"));
    await expect(page.getByText("Give the hours as a number from 0 to 720").first()).toBeVisible();
    await expect(page.getByLabel("A key must name the addresses it is used from")).toBeChecked();
    await page.getByLabel("Longest overlap in hours").fill("24");
    await ada.sends(ada.button("See what it would break"));
    await expect(page.getByRole("heading", { name: "1 of 1 key breaks these rules" })).toBeVisible();
    await expect(page.getByRole("table", { name: "Keys that break these rules", exact: true })).toContainText("Production server");
    await expect(page.getByRole("table", { name: "Owners of keys that break these rules" }).getByRole("row")).toHaveCount(2);
    await ada.axe();
    await ada.sends(ada.button("Save policy"));
    await ada.sees("Policy");
    await expect(page.getByText("must name the addresses it is used from")).toBeVisible();

    // The key goes on, says what is wrong, and cannot be rotated before it is mended.
    await ada.opens(address, "Production server");
    await expect(page.getByRole("heading", { name: "It does not keep the policy" })).toBeVisible();
    await ada.axe();
    watch.expects(422);
    await ada.opens(`${address}/rotate`, "Rotate key");
    await expect(page.getByText("The policy lets an old secret go on for 24 hours at most.")).toBeVisible();
    await expect(page.getByRole("radio", { name: "3 days" })).toHaveCount(0);
    await ada.sends(ada.button("Make the new secret"));
    await expect(page.getByText("Give at least one").first()).toBeVisible();
    await ada.opens(`${address}/edit`, "Edit key");
    await page.getByText("Addresses, resources, hours").click();
    await page.getByLabel("Allowed addresses").fill("10.0.0.0/8");
    await ada.sends(ada.button("Save"));
    await ada.sees("Production server");
    await expect(page.getByRole("heading", { name: "It does not keep the policy" })).toHaveCount(0);
});
