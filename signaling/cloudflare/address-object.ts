import * as v from 'valibot';
import type { Limits } from '../connection/bounds/limits.ts';
import type { Standing } from '../connection/core.ts';
import { type Account, isIdle, knock, newAccount, settle, standingAt } from './account.ts';
import type { Environment, ObjectState } from './platform.ts';
import { limitsOf } from './settings.ts';

/** What the outer Worker and rooms ask an address's object. */
const QuestionSchema = v.variant('type', [
  v.strictObject({ type: v.literal('knock'), code: v.string(), makes: v.boolean() }),
  v.strictObject({
    type: v.literal('report'),
    code: v.string(),
    connections: v.number(),
    rooms: v.number(),
    guesses: v.number(),
    looks: v.number(),
  }),
]);
export type Question = v.InferOutput<typeof QuestionSchema>;

const allowance = v.strictObject({ left: v.number(), atMs: v.number() });
const AnswerSchema = v.strictObject({
  refused: v.nullable(v.string()),
  standing: v.strictObject({ roomsElsewhere: v.number(), guesses: allowance, looks: allowance }),
});
export type Answer = { readonly refused: string | null; readonly standing: Standing };

const AccountSchema = v.strictObject({
  openings: allowance,
  guesses: allowance,
  looks: allowance,
  rooms: v.record(v.string(), v.strictObject({ connections: v.number(), rooms: v.number(), atMs: v.number() })),
});

/** An account that was not used is thrown away after so long. */
const SWEEP_MS = 60 * 60_000;

/** The account of one address, one object each. */
export class AddressObject {
  readonly #state: ObjectState;
  readonly #limits: Limits;
  #account: Account | null = null;

  constructor(state: ObjectState, environment: Environment) {
    this.#state = state;
    this.#limits = limitsOf(environment);
  }

  async fetch(request: Request): Promise<Response> {
    const question = v.parse(QuestionSchema, await request.json());
    const nowMs = Date.now();
    const account = await this.#read(nowMs);
    const { account: next, refused } =
      question.type === 'knock'
        ? knock(account, question, this.#limits, nowMs)
        : { account: settle(account, question, this.#limits, nowMs), refused: null };
    await this.#write(next);
    const answer: Answer = { refused, standing: standingAt(next, question.code) };
    return Response.json(answer);
  }

  async alarm(): Promise<void> {
    const nowMs = Date.now();
    if (isIdle(await this.#read(nowMs), this.#limits, nowMs)) {
      this.#account = null;
      await this.#state.storage.deleteAll();
    } else await this.#state.storage.setAlarm(nowMs + SWEEP_MS);
  }

  async #read(nowMs: number): Promise<Account> {
    if (this.#account !== null) return this.#account;
    const { sql } = this.#state.storage;
    sql.exec('CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, text TEXT NOT NULL)');
    for (const { text } of sql.exec('SELECT text FROM account')) {
      const read = v.safeParse(AccountSchema, JSON.parse(String(text)));
      if (read.success) return read.output;
    }
    return newAccount(this.#limits, nowMs);
  }

  async #write(account: Account): Promise<void> {
    this.#account = account;
    const { storage } = this.#state;
    storage.sql.exec('INSERT OR REPLACE INTO account (id, text) VALUES (1, ?)', JSON.stringify(account));
    if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now() + SWEEP_MS);
  }
}

/** Asks the object of an address. */
export async function ask(
  { ADDRESSES }: Pick<Environment, 'ADDRESSES'>,
  address: string,
  question: Question,
): Promise<Answer> {
  const account = ADDRESSES.get(ADDRESSES.idFromName(address));
  const response = await account.fetch('https://address/', { method: 'POST', body: JSON.stringify(question) });
  return v.parse(AnswerSchema, await response.json());
}
