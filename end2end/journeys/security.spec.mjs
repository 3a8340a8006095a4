// The checklist says what is worth a look, leads there, and is content once it is mended.
import { GRACE, expect, person, test } from "../kit.mjs";

/** One line of the checklist, by its advice. */
function check({ page }, advice) {
    return page.locator(".security-checks > li").filter({ has: page.getByText(advice, { exact: true }) });
}

async function says(who, advice, state, found) {
    const line = check(who, advice);
    await expect(line.locator(".badge")).toHaveText(state);
    await expect(line).toContainText(found);
}

test("a check leads to the keys it is about and passes once they are mended", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await ada.goes("Security");
    await says(ada, "Live keys expire", "Not checked", "There is no live key in force.");
    await says(ada, "More than one owner", "Needs attention", "There is one owner.");

    await app.issue("Endless", { scope: "read" });
    await ada.createsKey("Worker");
    await ada.sends(ada.button("I have stored it"));
    await ada.opens("/settings/security", "Security");
    await says(ada, "Every secret is known to be stored", "Needs attention", "1 of 2 keys is not confirmed as stored.");
    await ada.sends(ada.link("Show these keys: Every secret is known to be stored"));
    await ada.sees("API keys");
    await expect(page.locator("tbody tr")).toHaveCount(1);
    await ada.sends(page.getByRole("link", { name: "Endless" }));
    await ada.sees("Endless");

    await ada.opens("/settings/security", "Security");
    await says(ada, "Live keys say from where they are used", "Needs attention", "2 of 2 live keys are accepted from any address.");
    await ada.sends(ada.link("Show these keys: Live keys say from where they are used"));
    await ada.sees("API keys");
    await expect(page.locator("tbody tr")).toHaveCount(2);
    await expect(page.getByLabel("Status")).toHaveValue("any_address");
    await page.setViewportSize({ width: 360, height: 800 });
    await ada.opens("/settings/security", "Security");
    await page.setViewportSize({ width: 1280, height: 800 });

    // A developer sees what is about keys and policy, and nothing of people.
    const grace = await another();
    await grace.joins(await ada.invites(GRACE.email), GRACE);
    await grace.goes("Security");
    await says(grace, "Live keys say from where they are used", "Needs attention", "2 of 2");
    await expect(check(grace, "Everybody has a second factor")).toHaveCount(0);
    await expect(grace.page.getByRole("heading", { name: "Two-factor authentication" })).toHaveCount(0);

    await ada.opens("/settings/security", "Security");
    await says(ada, "Everybody has a second factor", "Needs attention", "2 of 2 active members have no second factor.");
});
