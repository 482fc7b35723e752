# SPDX-License-Identifier: Apache-2.0
"""Are the schemas sound, and do documents fit them?  check.py SCHEMA_DIRECTORY NAME=FILE..."""
import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
import jsonschema

directory = pathlib.Path(sys.argv[1])
# The validator of older distributions resolves references below http alone; nothing is fetched, all is in the store.
schemas = {
    path.name.split(".")[0]: json.loads(path.read_text().replace("urn:attestd:schema:", "http://schema.invalid/"))
    for path in directory.glob("*.schema.json")
}
store = {schema["$id"]: schema for schema in schemas.values()}


def errors(name, document):
    schema = schemas[name]
    validator = jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver(schema["$id"], schema, store))
    return [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(document)]


for schema in schemas.values():
    jsonschema.Draft202012Validator.check_schema(schema)
found = []
for argument in sys.argv[2:]:
    name, _, path = argument.partition("=")
    document = json.loads(pathlib.Path(path).read_text())
    found += errors(name, document)
    # A schema that takes anything proves nothing: each required member must be missed.
    for member in schemas[name]["required"]:
        if not errors(name, {key: value for key, value in document.items() if key != member}):
            found.append(f"{name}: a document without {member} fits")
print("\n".join(found) or f"{len(sys.argv) - 2} documents fit")
sys.exit(1 if found or len(sys.argv) < 3 else 0)
