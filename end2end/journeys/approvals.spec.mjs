// Approvals: what the policy wants a second person to look at waits for one, and the secret is born after that.
import { GRACE, OWNER, expect, person, test } from "../kit.mjs";

test("a live key is asked for, approved by a second account and collected once", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(180_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    const grace = await another();
    await ada.signsIn();
    await comesAsAdmin(ada, grace);
    await asksForApprovals(ada);

    // What was typed stays; the form says why it is not enough, and asks for a reason.
    watch.expects(409);
    watch.expects(422);
    await ada.opens("/settings/api-keys/new", "Create API key");
    await page.getByRole("radio", { name: /^Live/ }).check();
    await ada.field("Name").fill("Shop");
    await page.getByRole("checkbox", { name: "read" }).first().check();
    await ada.sends(ada.submit("Live"));
    await expect(page.getByRole("heading", { name: "A second person has to approve this" })).toBeVisible();
    await expect(ada.field("Name")).toHaveValue("Shop");
    await ada.axe();
    await ada.sends(ada.button("Ask for approval"));
    await expect(page.locator("#justification-error")).toContainText("Say what it is needed for");
    await page.getByLabel("Why it is needed").fill("The new shop opens in May.");
    await ada.sends(ada.button("Ask for approval"));
    await ada.sees("New key Shop");
    await expect(page.getByText("Asked. You get a letter when it is decided.")).toBeVisible();
    await expect(ada.button("Approve the key")).toHaveCount(0);
    await ada.axe();
    const request = page.url().split("?")[0];

    await grace.opens("/settings/approvals", "Approvals");
    await grace.axe();
    await grace.sends(grace.link("New key Shop"));
    await grace.sees("New key Shop");
    await expect(grace.page.getByText("The new shop opens in May.")).toBeVisible();
    await expect(grace.page.getByText("Shop is a live key of")).toBeVisible();
    grace.watch.expects(422);
    await grace.sends(grace.button("Decline"));
    await expect(grace.page.locator("#comment-error")).toContainText("Say why you decline it");
    await grace.page.getByLabel("Comment").fill("Good luck with it");
    await grace.sends(grace.button("Approve the key"));
    await expect(grace.page.getByText("Approved. Whoever asked gets a letter.")).toBeVisible();
    await expect(grace.button("Collect the secret")).toHaveCount(0);
    await grace.axe();

    await ada.opens(request, "New key Shop");
    await expect(page.getByText("Good luck with it")).toBeVisible();
    await ada.sends(ada.button("Collect the secret"));
    const secret = await ada.readsSecret();
    expect(await app.code(app.made.serviceToken, secret)).toBe("VALID");
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Shop");

    await widens(ada, grace, page.url().split("?")[0]);
});

async function comesAsAdmin(ada, grace) {
    await ada.goes("Members");
    await ada.sends(ada.link("Invite"));
    const link = await ada.invites(GRACE.email, "Admin");
    await ada.sends(ada.button("Done"));
    await grace.opens(link, "Invitation");
    await grace.field("Your name").fill(GRACE.name);
    await grace.page.getByLabel("Password", { exact: true }).fill(GRACE.password);
    await grace.sends(grace.button("Create account and join"));
    await grace.sees("API keys");
}

async function asksForApprovals(ada) {
    const { page } = ada;
    await ada.opens("/settings/policy/live", "Live keys");
    await page.getByLabel("Every new live key").check();
    await page.getByLabel("Letting a key do more").check();
    await ada.sends(ada.button("See what it would break"));
    await ada.axe();
    await ada.sends(ada.button("Save policy"));
    await ada.sees("Policy");
    await expect(page.getByText("A second person approves every new key and a change that lets a key do more.")).toBeVisible();
}

// A change that widens a key waits, is shown as a difference, and holds once it is approved.
async function widens(ada, grace, address) {
    const { page } = ada;
    await ada.opens(`${address}/edit`, "Edit key");
    await page.getByRole("radio", { name: "Write" }).check();
    await ada.sends(ada.button("Save"));
    await expect(page.getByRole("heading", { name: "A second person has to approve this" })).toBeVisible();
    await page.getByLabel("Why it is needed").fill("It uploads, too.");
    await ada.axe();
    await ada.sends(ada.button("Ask for approval"));
    await ada.sees("Change of Shop");
    await ada.opens(address, "Shop");
    await expect(page.getByText("A change of this key waits for approval.")).toBeVisible();
    await ada.axe();

    await grace.opens("/settings/approvals?state=waiting", "Approvals");
    await grace.sends(grace.link("Change of Shop"));
    const change = grace.page.getByRole("table", { name: "What it would change" });
    await expect(change.getByRole("row", { name: /Scopes/ })).toContainText("write");
    await grace.axe();
    await grace.sends(grace.button("Approve the change"));
    await expect(grace.page.getByText(`Asked for by ${OWNER.name}`).first()).toBeVisible();
    await ada.opens(address, "Shop");
    await expect(page.locator("code", { hasText: /^write$/ })).toBeVisible();
}
