// The right to receive a message that was not routed just now: out of a queue or the retained messages.

import type { Message } from '../ports/message.ts';
import type { Core } from './core.ts';
import type { Session } from './session.ts';

/** Asked again of everything that waited: rights may have changed since it was queued or retained. */
export function mayReceive(core: Core, session: Session, message: Message, retain: boolean): boolean {
  const rights = core.rightsOf(session);
  const verdict = core.access.receive(rights, message.topic);
  if (verdict !== 'ask') return verdict === 'always';
  return core.access.receiveMessage(rights, message.topic, message.qos, retain, message);
}
