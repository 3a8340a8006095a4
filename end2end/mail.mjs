// A mail server for tests, on loopback: takes mail, keeps it in memory, and gives it as JSON over HTTP.
//
//   node end2end/mail.mjs [--port N] [--tls starttls|tls --cert FILE --key FILE] [--user U --password P]
//
// Prints one line, {"smtp": port, "http": port}, when it is ready, and ends when its standard input does, so that it
// never outlives a test. `GET /mails` gives what it took, oldest first; `DELETE /mails` forgets it.
//
// How it answers depends on the recipient: refused@… is refused for good (550), later@… for now (451), quoting@… for
// good with the text of the mail in the answer, as filters do; slow@… is taken after a second.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";

import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

const text = { type: "string" };
const { values: options } = parseArgs({
    options: { port: { ...text, default: "0" }, tls: { ...text, default: "none" }, cert: text, key: text, user: text, password: text },
});

const mails = [];

function refusal(code, message) {
    return Object.assign(new Error(message), { responseCode: code });
}

/** What became of a recipient before any mail is seen. */
function receive({ address }, _session, done) {
    if (address.startsWith("refused@")) done(refusal(550, `5.1.1 <${address}>: nobody lives here`));
    else if (address.startsWith("later@")) done(refusal(451, `4.7.1 <${address}>: try again later`));
    else done();
}

async function take(stream, session, done) {
    const raw = await buffer(stream);
    const parsed = await PostalMime.parse(raw);
    const to = session.envelope.rcptTo.map(({ address }) => address);
    if (to.some((address) => address.startsWith("quoting@"))) {
        done(refusal(554, `5.7.1 blocked: ${parsed.text.replaceAll(/\s+/g, " ").slice(0, 400)}`));
        return;
    }
    if (to.some((address) => address.startsWith("slow@"))) await new Promise((wake) => setTimeout(wake, 1_000));
    const headers = parsed.headers.map(({ key, value }) => [key, value]);
    mails.push({
        from: session.envelope.mailFrom.address,
        to,
        secure: session.secure,
        user: session.user ?? null,
        hello: session.hostNameAppearsAs,
        subject: parsed.subject,
        headers,
        text: parsed.text,
        html: parsed.html,
        raw: raw.toString("latin1"),
    });
    done();
}

function authenticate({ username, password }, _session, done) {
    if (username === options.user && password === options.password) done(null, { user: username });
    // Some servers quote what they were given.
    else done(refusal(535, `5.7.8 authentication failed for ${username} with ${password}`));
}

const encrypted = options.tls !== "none";
const disabled = [...(options.user ? [] : ["AUTH"]), ...(options.tls === "starttls" ? [] : ["STARTTLS"])];
const smtp = new SMTPServer({
    secure: options.tls === "tls",
    ...(encrypted && { cert: readFileSync(options.cert), key: readFileSync(options.key) }),
    disabledCommands: disabled,
    authOptional: !options.user,
    allowInsecureAuth: !encrypted,
    disableReverseLookup: true,
    onAuth: authenticate,
    onRcptTo: receive,
    onData: (stream, session, done) => { take(stream, session, done).catch(done); },
});
// A client that gives up, or trusts nobody here, is no reason to end.
smtp.on("error", () => {});

const http = createServer((request, answer) => {
    if (request.url !== "/mails") answer.writeHead(404).end();
    else if (request.method === "DELETE") { mails.length = 0; answer.writeHead(204).end(); }
    else answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(mails));
});

smtp.listen(Number(options.port), "127.0.0.1");
await once(smtp.server, "listening");
http.listen(0, "127.0.0.1");
await once(http, "listening");
console.log(JSON.stringify({ smtp: smtp.server.address().port, http: http.address().port }));

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
