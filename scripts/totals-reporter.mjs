/**
 * @module A Vitest reporter that writes what the closing line of `npm test` needs: totals, failures, and why a test was skipped.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';

/** Writes `{passed, failed, skipped, skips: [{file, name, reason}], broken: [file]}` to COUNTERSIGN_TOTALS. */
export default class TotalsReporter {
  onTestRunEnd(modules, unhandled) {
    const totals = { passed: 0, failed: 0, skipped: 0, skips: [], broken: [] };
    for (const file of modules) {
      const name = relative(process.cwd(), file.moduleId);
      if (file.errors().length > 0) totals.broken.push(name);
      for (const test of file.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') totals.passed += 1;
        else if (result.state === 'failed') totals.failed += 1;
        else {
          totals.skipped += 1;
          totals.skips.push({ file: name, name: test.fullName, reason: result.note ?? '' });
        }
      }
    }
    if (unhandled.length > 0) totals.broken.push(`${unhandled.length} unhandled errors`);
    writeFileSync(process.env.COUNTERSIGN_TOTALS, JSON.stringify(totals));
  }
}
