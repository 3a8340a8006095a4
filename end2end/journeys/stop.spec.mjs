// How keys stop: a finder reports one, an owner stops several at once, and looks at what nobody uses.
import { expect, person, test } from "../kit.mjs";

test("somebody without an account reports a key that they found, and it is dead", async ({ app, page, watch, javaScriptEnabled }) => {
    const { secret } = await app.issue("Leaked");
    const finder = person({ app, page, watch, javaScriptEnabled });
    await finder.opens("/sign-in", "Sign in");
    await finder.sends(finder.link("Found a key?"));
    await finder.sees("Found a key?");
    await finder.axe();
    watch.expects(422);
    await finder.sends(finder.button("Report it"));
    await expect(page.getByText("Paste the key, or the line it stands in.").first()).toBeVisible();
    await page.getByLabel("The key").fill(`API_KEY=${secret}`);
    await page.getByLabel("Where was it?").fill("https://paste.example.com/4711");
    await finder.sends(finder.button("Report it"));
    await finder.sees("Thank you");
    await expect(page.getByText("It was one of ours, and is revoked.")).toBeVisible();
    expect(await page.content()).not.toContain(secret.slice(24, 40));
    expect(page.url()).not.toContain("acme");
    await finder.axe();

    await finder.signsIn();
    await finder.opens("/settings/api-keys?status=revoked&q=paste.example", "API keys");
    await expect(page.getByRole("table", { name: "API keys" })).toContainText("Leaked");
});

test("an owner revokes several keys after looking at them, and looks at unused ones", async ({ app, page, watch, javaScriptEnabled }) => {
    for (const name of ["Worker A", "Worker B", "Server"]) await app.issue(name);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    await ada.opens("/settings/api-keys", "API keys");
    await expect(ada.button("Revoke…")).toBeHidden();
    await page.getByLabel("Choose Worker A").check();
    await page.getByLabel("Choose Worker B").check();
    await ada.axe();
    await ada.sends(ada.button("Revoke…"));
    await ada.sees("Revoke 2 keys?");
    const table = page.getByRole("table", { name: "The chosen keys" });
    await expect(table).toContainText("Worker A");
    await expect(table).not.toContainText("Server");
    await ada.axe();
    await page.getByLabel("Reason").selectOption("superseded");
    await page.getByLabel("Note").fill("Replaced by the queue");
    await ada.sends(ada.button("Revoke 2 keys"));
    await ada.sees("Several keys at once");
    await expect(page.getByText("2 revoked.")).toBeVisible();
    await ada.sends(ada.link("Back to the list"));
    await ada.sees("API keys");
    await expect(page.getByRole("table", { name: "API keys" })).not.toContainText("Worker A");

    await ada.sends(ada.link("Unused keys"));
    await ada.sees("Unused keys");
    await expect(page.getByText("Every key that could be used was")).toBeVisible();
    await ada.axe();
});
