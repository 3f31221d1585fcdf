// Runs the browser tests, one after another in one Chromium, against a running stack (tests/stack) that the environment names.
// Usage: node run.mjs. Screenshots go to $TCS_ARTEFACTS if that is set. Exit code 1 if a test failed.

import { after, before } from 'node:test';
import { close, inSite, launch } from './lib.mjs';

before( launch );
// The tests leave more tenants than a page of the Overview has.
before( () => inSite( "return update_user_meta( 1, 'tenant_crm_per_page', 200 );" ) );
after( close );

await import( './tenant.mjs' );
await import( './setup.mjs' );
await import( './connectors.mjs' );
await import( './sync.mjs' );
await import( './log.mjs' );
await import( './settings.mjs' );
await import( './conflicts.mjs' );
await import( './refused.mjs' );
await import( './panels.mjs' );
await import( './hostile.mjs' );
await import( './access.mjs' );
await import( './portal.mjs' );
await import( './languages.mjs' );
await import( './axe.mjs' );
