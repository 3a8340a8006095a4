// A key is handed over by a link: its maker never sees the secret, whoever opens the link gets it once.
import { expect, person, test } from "../kit.mjs";

test("a key is handed over by a link with a passphrase", async ({ app, page, watch, javaScriptEnabled, another }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await page.goto("/settings/api-keys/new");
    await ada.settled();
    await page.getByRole("radio", { name: /^Live/ }).check();
    await ada.field("Name").fill("Partner");
    await page.getByRole("checkbox", { name: "read" }).first().check();
    await page.getByRole("radio", { name: /Hand it over by a link/ }).check();
    await page.getByText("When you hand it over").click();
    await page.getByLabel("Passphrase").fill("correct horse");
    await ada.axe();
    await ada.sends(ada.submit("Live"));
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Link to collect Partner");
    await ada.axe();
    const link = await page.locator("#secret").innerText();
    expect(link).toContain("/claim?token=kwc_");
    await ada.sends(ada.button("Done"));
    await ada.sees("Partner");
    await expect(page.getByText("It waits for somebody to collect its secret.")).toBeVisible();

    const grace = await another();
    await grace.page.goto(link);
    await grace.settled();
    await expect(grace.page.getByRole("heading", { level: 1 })).toHaveText("Collect an API key");
    await grace.axe();
    grace.watch.expects(422);
    await grace.page.getByLabel("Passphrase").fill("wrong horse");
    await grace.sends(grace.button("Make and show the secret"));
    await expect(grace.page.getByText("4 tries are left").first()).toBeVisible();
    await grace.page.getByLabel("Passphrase").fill("correct horse");
    await grace.sends(grace.button("Make and show the secret"));
    const secret = await grace.readsSecret();
    expect((await app.verify(app.made.serviceToken, secret)).code).toBe("VALID");
    await grace.sends(grace.button("I have stored it"));
    await expect(grace.page.getByRole("heading", { level: 1 })).toHaveText("Thank you");

    await page.reload();
    await expect(page.getByText("The secret was collected by a link")).toBeVisible();
});
