// SPDX-License-Identifier: Apache-2.0
// The schema that editors get, in the hands of a validator of the field: it takes every example policy, and marks what attestd would refuse.
//   node schema.mjs policy.schema.json examples/policies
import fs from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import YAML from "yaml";

const [schemaFile, examples] = process.argv.slice(2);
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, allErrors: true });
for (const word of ["claim", "check", "checks", "compares", "reference"]) ajv.addKeyword(`x-attestd-${word}`);
const validate = ajv.compile(JSON.parse(fs.readFileSync(schemaFile, "utf8")));

let failures = 0;
const expect = (good, what, value) => {
  if (validate(value) === good) return;
  failures++;
  console.error(`${what}: ${good ? ajv.errorsText(validate.errors) : "was taken"}`);
};

for (const name of fs.readdirSync(examples).filter((n) => n.endsWith(".yaml"))) {
  for (const document of YAML.parseAllDocuments(fs.readFileSync(path.join(examples, name), "utf8")))
    expect(true, name, document.toJS());
}

const bad = {
  "no name": "version: 1",
  "an unknown section": "policy: a\nsnpp: {}",
  "a slip in a section": "policy: a\nsnp: {mesurement: [aa]}",
  "a measurement of another length": "policy: a\nsnp: {measurement: [aabb]}",
  "a mode that does not exist": "policy: a\nsnp: {revocation: wran}",
  "a mode that does not exist, in a group": "policy: a\nsnp: {revocation: {mode: wran}}",
  "an unknown freshness": "policy: a\nfreshness: {challenge: yes}",
  "a date that is none": "policy: a\nvalid: {from: tomorrow}",
  "a weight beyond 100": "policy: a\nweights: {snp.smt: 101}",
  "a set without values": "reference_set: a",
};
for (const [what, text] of Object.entries(bad)) expect(false, what, YAML.parse(text));

const good = [
  "policy: a\nsnp: {revocation: warn}",
  "policy: a\nsnp: {revocation: {mode: warn, until: 2026-12-15, reason: r, owner: o}}",
  "policy: a\nsnp: {guest_policy: {debug: false, smt: any}, vmpl: {allow: [0, 1]}}",
  "policy: a\nchecks: {snp.smt: disabled}",
  "policy: a\nbinding: {data: {image: ['00']}}",
];
for (const text of good) expect(true, text, YAML.parse(text));
console.log(failures === 0 ? "the schema agrees with attestd" : `${failures} disagreements`);
process.exit(failures === 0 ? 0 : 1);
