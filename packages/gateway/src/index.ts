export { Gateway, type GatewayParts, grpcCallFailed } from './gateway.ts'
export { type GatewayConfig, gatewayOptions } from './options.ts'
