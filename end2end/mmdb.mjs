// A country database for journeys, by the public description of its format (MaxMind DB 2.0). Of IPv4 networks alone.
import { writeFile } from "node:fs/promises";

const head = (kind, size) => (kind < 8 ? [(kind << 5) | size] : [size, kind - 7]);
const text = (value) => [...(value.length < 29 ? head(2, value.length) : [...head(2, 29), value.length - 29]), ...Buffer.from(value)];
const number = (kind, value) => {
    const bytes = [];
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
    return [...head(kind, bytes.length), ...bytes];
};
const map = (entries) => [...head(7, Object.keys(entries).length), ...Object.entries(entries).flatMap(([key, value]) => [...text(key), ...value])];

/** Writes a file that puts networks into countries, such as `{ "203.0.113.0/24": "DE" }`. */
export async function writeCountries(path, networks) {
    const nodes = [[null, null]];
    const data = [];
    for (const [network, code] of Object.entries(networks)) {
        const [address, length] = network.split("/");
        const bits = address.split(".").map((part) => Number(part).toString(2).padStart(8, "0")).join("").slice(0, Number(length));
        const leaf = { offset: data.length };
        data.push(...map({ country: map({ iso_code: text(code) }) }));
        let at = 0;
        [...bits].forEach((bit, depth) => {
            if (depth === bits.length - 1) {
                nodes[at][bit] = leaf;
            } else {
                if (typeof nodes[at][bit] !== "number") nodes[at][bit] = nodes.push([null, null]) - 1;
                at = nodes[at][bit];
            }
        });
    }
    const value = (record) => (record === null ? nodes.length : typeof record === "number" ? record : nodes.length + 16 + record.offset);
    const tree = nodes.flat().flatMap((record) => [value(record) >> 16, (value(record) >> 8) & 255, value(record) & 255]);
    const about = map({
        binary_format_major_version: number(5, 2),
        binary_format_minor_version: number(5, 0),
        build_epoch: number(9, 1_793_000_000),
        database_type: text("Journey-Country"),
        description: map({}),
        ip_version: number(5, 4),
        languages: head(11, 0),
        node_count: number(6, nodes.length),
        record_size: number(5, 24),
    });
    const mark = [0xab, 0xcd, 0xef, ...Buffer.from("MaxMind.com")];
    await writeFile(path, Buffer.from([...tree, ...new Array(16).fill(0), ...data, ...mark, ...about]));
}
