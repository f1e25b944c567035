import { render } from 'preact'
import { begin } from './api.ts'
import { App } from './app.tsx'
import './app.css'
import { pageOf } from './pages.tsx'
import { parseRoute } from './route.ts'
import { isSeen } from './use.ts'

// What the first picture needs is asked for before it is drawn. `index.html` has the browser begin with `me` before there is a script.
begin('me')
const route = parseRoute(location.hash)
const { asks } = pageOf(route)
if (asks !== undefined && isSeen()) begin(asks, { cluster: route.query['cluster'] })

render(<App />, document.getElementById('app')!)
