import { haStatusBody } from '../bodies/ha-status.ts'
import { defineRequest } from '../request.ts'

/** 5.x: how far slaves are. */
export const getBrokerHaStatus = defineRequest({
  name: 'GET_BROKER_HA_STATUS',
  code: 907,
  replyBody: haStatusBody,
  direction: 'tools to broker',
  section: 'admin.md 6',
})
