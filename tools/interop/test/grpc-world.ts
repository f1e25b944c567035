import { startSkua } from '../src/start-skua.ts'

/** Where the tests of gRPC clients run: at a server of ours, or at what the environment names (prove.ts). */
export interface GrpcWorld {
  readonly grpcAddr: string
  readonly namesrvAddr: string
  stop(): Promise<void>
}

export async function startGrpcWorld(config: Record<string, unknown> = {}): Promise<GrpcWorld> {
  const { SKUA_GRPC: grpcAddr, SKUA_NAMESRV: namesrvAddr } = process.env
  if (grpcAddr !== undefined && namesrvAddr !== undefined)
    return { grpcAddr, namesrvAddr, stop: () => Promise.resolve() }
  const skua = await startSkua({ store: 'memory', port: 0, grpcPort: 0, config })
  return { grpcAddr: skua.grpcAddr ?? '', namesrvAddr: skua.namesrvAddr, stop: () => skua.stop() }
}
