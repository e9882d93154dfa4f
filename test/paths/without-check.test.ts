// That the paths notice: with any one check gone, at least one of their stories must end wrongly.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findChecks } from './without-check.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const checks = findChecks();

it('every question that the core asks of access is found', () => {
  // One line more or less here is a check more or less in the core: look at it.
  expect(checks.map(({ file, text }) => `${file}: ${text}`)).toMatchInlineSnapshot(`
    [
      "core.ts: receive: (session, topic) => parts.access.receive(this.rightsOf(session), topic),",
      "delivery.ts: if (!core.access.receiveMessage(core.rightsOf(target.subscriber), topic, qos, retain, passage)) return;",
      "drain.ts: if (expired(core, message, queuedAtMs) || !isStillAllowed(core, session, message, qos, retain)) continue;",
      "drain.ts: if ((isUnsent && expired(core, message, queuedAtMs)) || !isStillAllowed(core, session, message, qos, entry.retain)) {",
      "drain.ts: if (mayReceive(core, session, message, retain)) return true;",
      "group-choice.ts: return core.access.receiveMessage(core.rightsOf(target.subscriber), topic, qos, retain, passage);",
      "handle/connect.ts: if (facts.listener.clientIds === 'own' && !ownsClientId(identity.name, client.clientId)) {",
      "handle/connect.ts: const allowed = core.access.publish(rights, topic, will.qos, will.retain, will);",
      "handle/publish.ts: let verdict = core.access.publish(rights, topic, qos, retain, passage);",
      "handle/pubrel.ts: const verdict = core.access.publish(core.rightsOf(session), topic, qos, retain, passage);",
      "handle/subscribe.ts: const verdict = core.access.subscribe(core.rightsOf(session), plain);",
      "reauthorise.ts: const verdict = core.access.subscribe(core.rightsOf(session), shareOf(filter)?.filter ?? filter);",
      "receive-right.ts: const verdict = core.access.receive(rights, message.topic);",
      "receive-right.ts: return core.access.receiveMessage(rights, message.topic, message.qos, retain, message);",
      "retained-handover.ts: if (!mayReceive(core, session, message, true)) return true;",
      "wills.ts: const verdict = core.access.publish(core.rightsOf(session), topic, qos, retain, message);",
    ]
  `);
});

it.each(checks.map((check, number) => ({ ...check, number })))(
  'without $file:$line a path ends wrongly',
  async ({ number }) => {
    const child = spawn(
      process.execPath,
      [VITEST, 'run', 'test/paths/paths.test.ts', '--config', 'test/paths/vitest.config.ts', '--root', ROOT],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, MOTTE_WITHOUT_CHECK: `${number}`, NO_COLOR: '1' },
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const exit = await new Promise((resolve) => child.once('close', resolve));
    // Of what is to be refused: a core that does not even start would fail with the first story.
    expect(said).toMatch(/× version \d, allowed: false/);
    expect(said).toMatch(/✓ version \d, allowed: true/);
    expect(exit).toBe(1);
  },
  120_000,
);
