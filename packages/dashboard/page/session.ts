/** Who asks, as the server says it. */
export interface Me {
  readonly user: { readonly name: string; readonly role: 'view' | 'admin' } | null
  readonly accounts: boolean
  readonly readOnly: boolean
  readonly clusters: readonly { readonly name: string; readonly namesrvAddr: string }[]
}

export const session = { me: undefined as Me | undefined }

/** Whether buttons that change something are shown; the server checks by itself. */
export const mayChange = (): boolean => session.me?.user?.role === 'admin'
