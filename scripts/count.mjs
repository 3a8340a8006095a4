// count.mjs LOGS: adds up what the tests of one run of the gates said, and closes with one plain line.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const logs = process.argv[2];
const failedGates = new Set(
    read("summary").split("\n").filter((line) => /\sFAILED\s/.test(line)).map((line) => line.split(" ")[0]),
);

const kinds = [kind("tests", cargo())];
if (new RegExp("^journeys ", "m").test(read("summary"))) kinds.push(kind("journeys", playwright()));

console.log();
for (const { name, passed, failed, skipped } of kinds) {
    console.log(`${name.padEnd(10)} ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
}
const sum = (what) => kinds.reduce((total, each) => total + each[what], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);

// A gate that broke before a test could fail (it did not compile, say) counts as one failure, never as none.
function kind(name, { passed, failed, skipped }) {
    return { name, passed, skipped, failed: failedGates.has(name) ? Math.max(failed, 1) : failed };
}

function cargo() {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const result = /test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/g;
    for (const [, passed, failed, ignored] of read("tests.log").matchAll(result)) {
        count.passed += Number(passed);
        count.failed += Number(failed);
        count.skipped += Number(ignored);
    }
    return count;
}

function playwright() {
    const report = "end2end/test-results/report.json";
    if (!existsSync(report) || /^journeys\s+not run/m.test(read("summary"))) return { passed: 0, failed: 0, skipped: 0 };
    const { expected, flaky, unexpected, skipped } = JSON.parse(readFileSync(report, "utf8")).stats;
    return { passed: expected + flaky, failed: unexpected, skipped };
}

// Without colours, which some environments force.
function read(name) {
    const file = join(logs, name);
    return existsSync(file) ? readFileSync(file, "utf8").replace(/\x1b\[[0-9;]*m/g, "") : "";
}
