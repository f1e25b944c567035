/**
 * Remembers which messages were handled. `begin` says whether a message is new; then `done` or `failed` must follow.
 * Stores of your own (a table with a unique key, say) make this hold over several processes.
 */
export interface IdempotentStore {
  /** 'new': handle it. 'done': it was handled before. 'running': another run handles it now. */
  begin(key: string): Promise<'new' | 'done' | 'running'>
  done(key: string): Promise<void>
  failed(key: string): Promise<void>
}
