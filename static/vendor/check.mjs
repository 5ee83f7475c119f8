// Says whether what is vendored here is, byte for byte, what the lock file names:
// the packages are installed into a directory of their own, which proves their
// hashes, and every vendored file is compared with the file they carry.
//
//	node vendor/check.mjs

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const vendor = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

/** Every file under a directory. */
function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

const bench = mkdtempSync(join(tmpdir(), "vendor-check-"));
const faults = [];
let compared = 0;
try {
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) copyFileSync(join(root, name), join(bench, name));
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: bench, stdio: ["ignore", "ignore", "inherit"] });

  const locked = Object.keys(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages).filter(Boolean);
  for (const path of locked) {
    const name = path.replace(/^node_modules\//, "");
    if (!existsSync(join(vendor, name, "LICENSE"))) faults.push(`${name}: its licence is not vendored`);
  }
  for (const path of files(vendor)) {
    const name = relative(vendor, path);
    if (name === "check.mjs") continue;
    compared++;
    const original = join(bench, "node_modules", name);
    if (!existsSync(original)) faults.push(`${name}: no locked package has it`);
    else if (!readFileSync(original).equals(readFileSync(path))) faults.push(`${name}: differs from the package's`);
  }
} finally {
  rmSync(bench, { recursive: true, force: true });
}

for (const fault of faults) console.error(fault);
if (faults.length) process.exit(1);
console.log(`${compared} vendored files are those of the locked packages`);
