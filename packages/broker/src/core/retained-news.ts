// Which topics got another retained message lately, for everybody to whom retained messages are being handed over: what came
// after a SUBSCRIBE the subscriber was sent itself. Remembers so many topics and no more, and knows from where on it does.

import type { TopicName } from '@motte/wire';

/** Topics that are remembered, and how long they may be together. */
const TOPICS_MAX = 8192;
const CHARACTERS_MAX = 1_048_576;

export class RetainedNews {
  /** Messages that were retained, or with an empty one forgotten, in this run. */
  count = 0;
  /** Of these, the last whose topic may have been forgotten here. */
  forgotten = 0;
  /** The topic of the very last one, and the message before it there; 0 = none that is remembered. */
  lastTopic: TopicName | undefined = undefined;
  before = 0;
  /** The last message of each topic, in that order. */
  private readonly topics = new Map<TopicName, number>();
  private characters = 0;
  private readers = 0;

  /** Somebody asks from now on; nothing is remembered for nobody. */
  begin(): void {
    this.readers += 1;
  }

  end(): void {
    this.readers -= 1;
    if (this.readers > 0) return;
    this.topics.clear();
    this.characters = 0;
    this.lastTopic = undefined;
  }

  note(topic: TopicName): void {
    this.count += 1;
    if (this.readers === 0) return;
    const { topics } = this;
    this.lastTopic = topic;
    this.before = topics.get(topic) ?? 0;
    if (!topics.delete(topic)) this.characters += topic.length;
    topics.set(topic, this.count);
    while (topics.size > TOPICS_MAX || this.characters > CHARACTERS_MAX) this.forgetOne();
  }

  /** The last message of the topic; 0 = none behind those that may have been forgotten. */
  at(topic: TopicName): number {
    return this.topics.get(topic) ?? 0;
  }

  private forgetOne(): void {
    for (const [topic, count] of this.topics) {
      this.topics.delete(topic);
      this.characters -= topic.length;
      this.forgotten = count;
      return;
    }
  }
}
