// From where, for what and when a key passes.
import { expect, person, test } from "../kit.mjs";

test("a key is restricted when it is created, refused by each rule, and edited", async ({ app, page, watch, javaScriptEnabled }) => {
    test.setTimeout(120_000);
    const ada = person({ app, page, watch, javaScriptEnabled });
    await ada.signsIn();
    const secret = await createsARestrictedKey(ada);
    const ask = (body) => app.verify(app.made.serviceToken, secret, { body });
    expect((await ask({ clientIp: "10.1.2.3", resource: "gpt-4.1-mini" })).code).toBe("VALID");
    const elsewhere = await ask({ clientIp: "203.0.113.7", resource: "gpt-4.1" });
    expect(elsewhere.code).toBe("IP_NOT_ALLOWED");
    expect(elsewhere.denial.detail).toContain("203.0.113.7 is not among those the key is limited to");
    expect((await ask({ clientIp: "10.9.0.1", resource: "gpt-4.1" })).denial.detail).toContain("denied by 10.9.0.0/16");
    expect((await ask({ clientIp: "10.1.2.3", resource: "claude-opus-4" })).code).toBe("RESOURCE_NOT_ALLOWED");
    expect((await ask({ clientIp: "10.1.2.3" })).denial.detail).toContain("the request named none");
    await editsIt(ada);
    expect((await ask({ resource: "gpt-4.1" })).code, "no address is asked for any more").toBe("VALID");
    expect((await ask({ resource: "gpt-4.1", permissions: "write" })).code).toBe("VALID");
});

async function createsARestrictedKey(ada) {
    const { page, watch } = ada;
    await page.goto("/settings/api-keys/new");
    await ada.settled();
    await page.getByRole("radio", { name: /^Live/ }).check();
    await ada.field("Name").fill("Batch renderer");
    await page.getByRole("checkbox", { name: "read" }).first().check();
    await page.getByText("Addresses, resources, hours").click();
    await page.getByLabel("Allowed addresses").fill("10.0.0.5/8");
    await page.getByLabel("Denied addresses").fill("10.9.0.0/16");
    await page.getByLabel("Allowed resources").fill("gpt-4.1*\ngpt-4o");
    watch.expects(422);
    await ada.sends(ada.submit());
    await expect(page.locator("#ip_allow-error")).toContainText("Write 10.0.0.0/8 for the network, or 10.0.0.5 for the address.");
    await expect(page.getByLabel("Allowed resources"), "what was typed is kept").toHaveValue("gpt-4.1*\ngpt-4o");
    await ada.axe();
    await page.getByLabel("Allowed addresses").fill("10.0.0.0/8");
    await ada.sends(ada.submit());
    const secret = await ada.readsSecret();
    await ada.sends(ada.button("I have stored it"));
    await ada.sees("Batch renderer");
    await expect(page.getByText("Only from 10.0.0.0/8.")).toBeVisible();
    await expect(page.getByText("Only resources that match gpt-4.1*, gpt-4o.")).toBeVisible();
    return secret;
}

async function editsIt(ada) {
    const { page } = ada;
    await ada.sends(ada.link("Edit"));
    await ada.sees("Edit key");
    await expect(page.getByLabel("Allowed addresses")).toHaveValue("10.0.0.0/8");
    await page.getByLabel("Allowed addresses").fill("");
    await page.getByLabel("Denied addresses").fill("");
    await page.getByRole("radio", { name: "Write" }).check();
    await ada.sends(ada.button("Save"));
    await ada.sees("Batch renderer");
    await expect(page.getByText("Saved.")).toBeVisible();
    await expect(page.getByText("Only from")).toHaveCount(0);
}
