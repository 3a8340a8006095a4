import { defineConfig } from "@playwright/test";

// Each journey starts the server itself, on a data folder of its own, so there is none to start here.
export default defineConfig({
    testDir: "journeys",
    outputDir: "test-results",
    workers: 2,
    fullyParallel: true,
    // A journey that passes at the second try has found something.
    retries: 0,
    forbidOnly: Boolean(process.env.CI),
    timeout: 60_000,
    reporter: [["list"], ["json", { outputFile: "test-results/report.json" }]],
    use: {
        screenshot: "only-on-failure",
        trace: "retain-on-failure",
        launchOptions: {
            executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
            args: [
                // Containers often forbid what the sandbox needs, and the pages are our own.
                "--no-sandbox",
                "--disable-gpu",
                // A browser under test talks to the server under test and to nobody else.
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        },
    },
    projects: [
        { name: "with JavaScript" },
        { name: "without JavaScript", use: { javaScriptEnabled: false } },
    ],
});
