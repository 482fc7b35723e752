// SPDX-License-Identifier: Apache-2.0
// Recomputes docs/binding-vectors.json from docs/binding.md alone, with node:crypto. Exit 0: all agree.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const L = (x) => Buffer.concat([u32(x.length), x]);
const hash = (name, ...parts) => createHash(name).update(Buffer.concat(parts)).digest();
const hex = (text) => Buffer.from(text ?? "", "hex");
const bytewise = (a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0]));
const entries = (object) => Object.entries(object ?? {}).sort(bytewise);

// RFC 7638, section 3.2: the required members in lexical order, no white space.
const members = { EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"], RSA: ["e", "kty", "n"] };
const thumbprint = (jwk) =>
  hash("sha256", Buffer.from(JSON.stringify(Object.fromEntries(members[jwk.kty].map((name) => [name, jwk[name]])))));

const sorted = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(entries(value).map(([name, member]) => [name, sorted(member)]))
    : value;

const layouts = {
  "attestd-v1": (v) => {
    const data = entries(v.data), devices = entries(v.devices);
    return hash("sha512", Buffer.from("attestd-binding-v1\n"),
      L(hex(v.nonce)), L(Buffer.from(v.audience ?? "", "utf8")), L(v.jwk ? thumbprint(v.jwk) : Buffer.alloc(0)),
      u32(data.length), ...data.flatMap(([name, value]) => [L(Buffer.from(name)), L(hex(value))]),
      u32(devices.length), ...devices.flatMap(([label, digest]) => [L(Buffer.from(label)), L(hex(digest))]));
  },
  raw: (v) => hex(v.nonce),
  sha512: (v) => hash("sha512", hex(v.nonce), ...entries(v.data).map(([, value]) => hex(value))),
  trustee: (v) => hash("sha384", Buffer.from(JSON.stringify({ nonce: v.nonce_text, "tee-pubkey": sorted(v.jwk) }))),
  ita: (v) => hash("sha512", hex(v.nonce), hex(v.data.iat), hex(v.data.user_data)),
};

const file = JSON.parse(readFileSync(process.argv[2], "utf8"));
let wrong = 0;
const compare = (what, published, computed) => {
  if (published === computed) return;
  wrong += 1;
  console.error(`${what}\n  published ${published}\n  computed  ${computed}`);
};
for (const vector of file.vectors) {
  const field = Buffer.alloc(64);
  layouts[vector.layout](vector).copy(field);
  compare(vector.name, vector.field, field.toString("hex"));
  if (vector.layout === "attestd-v1")
    compare(`${vector.name}, hashed`, vector.sha256_of_field, hash("sha256", field).toString("hex"));
}
for (const vector of file.device_nonces)
  compare(`device ${vector.label}`, vector.device_nonce,
    hash("sha256", Buffer.from("attestd-device-v1\n"), L(hex(vector.nonce)), L(Buffer.from(vector.label))).toString("hex"));
const count = file.vectors.length + file.device_nonces.length;
console.log(wrong === 0 ? `${count} vectors agree` : `${wrong} values differ`);
process.exit(wrong === 0 && count > 0 ? 0 : 1);
