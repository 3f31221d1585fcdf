// The contract suite. For each specification that was given: Prism as a proxy in front of the sandbox judges requests of
// this runner's own and all that the PHP class does with the connector; then Prism as a mock answers that class from the
// specification's examples. Whatever either side says that the specification does not allow is a failure.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Judge, objections } from './lib/judge.mjs';
import { prism } from './lib/prism.mjs';
import { stopAll } from './lib/processes.mjs';
import { Report } from './lib/report.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { find, load, Unusable } from './lib/specs.mjs';
import * as espocrm from './requests/espocrm.mjs';
import * as generic from './requests/generic.mjs';
import * as pipedrive from './requests/pipedrive.mjs';

const OWN = { espocrm, pipedrive };
const KEY = 'c0ntract+key/of=one';
const here = path.dirname( fileURLToPath( import.meta.url ) );
const catalog = path.join( here, '..', '..', 'src', 'crm', 'catalog' );
const work = process.env.TCS_WORK;
const report = new Report();

for ( const signal of [ 'SIGINT', 'SIGTERM' ] ) {
	process.on( signal, () => stopAll().finally( () => process.exit( 130 ) ) );
}

/** The PHP class against `origin`: its lines are tests. */
async function client( name, mode, connector, origin, sandbox, tenant, objects ) {
	const plan = { mode, connector, origin, tenant, key: KEY, objects, control: sandbox.control };
	const words = [
		'-n',
		...( process.env.TCS_EXTENSION ? [ '-d', `extension=${ process.env.TCS_EXTENSION }` ] : [] ),
		...[
			'tenant_crm_sync.allow_http=1',
			'tenant_crm_sync.allow_private_networks=1',
			'display_errors=stderr',
			'log_errors=0',
			'error_reporting=-1',
		].flatMap( ( ini ) => [ '-d', ini ] ),
		path.join( here, 'client.php' ),
	];
	const child = spawn( process.env.PHP ?? 'php8.2', words, {
		env: { ...process.env, TCS_PLAN: JSON.stringify( plan ) },
		stdio: [ 'ignore', 'pipe', 'inherit' ],
		timeout: 300_000,
	} );
	let tests = 0;
	const ended = new Promise( ( resolve ) => {
		child.once( 'error', resolve );
		child.once( 'close', resolve );
	} );
	for await ( const line of readline.createInterface( { input: child.stdout } ) ) {
		const [ , verdict, what, detail ] = /^(ok|FAILED) ([^\t]*)(?:\t(.*))?$/.exec( line ) ?? [];
		if ( verdict ) {
			tests++;
			report.check( `${ name }: ${ what }`, 'ok' === verdict, detail );
		} else {
			console.log( line );
		}
	}
	const code = await ended;
	report.check( `${ name }: the client ran to its end`, 0 === code && tests > 0, `code ${ code }, ${ tests } tests` );
}

/** A proxy that lets a wrong request or a wrong answer pass would judge nothing. */
async function selfTest( connector, module, spec, port, sandbox, tenant ) {
	const lie = module.lies[ spec.prefixes.find( ( prefix ) => module.lies[ prefix ] ) ];
	if ( ! lie ) {
		return;
	}
	const call = async ( headers ) => {
		const answer = await fetch( `http://127.0.0.1:${ port }${ lie.target }`, { headers } );
		const body = Buffer.from( await answer.arrayBuffer() );
		return objections( { headers: Object.fromEntries( answer.headers ), body } );
	};
	report.check( `${ spec.name }: a request without a credential is objected to`, ( await call( {} ) ).length > 0 );
	const canned = { kind: 'canned', times: 1, status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify( lie.body ) };
	await sandbox.call( 'POST', '/faults', { tenant, faults: [ canned ] } );
	const lied = await call( module.headers( KEY ) );
	report.check(
		`${ spec.name }: an answer of another form is objected to`,
		lied.some( ( one ) => one.startsWith( 'response' ) ),
		lied.join( '\n' )
	);
}

/** The judge and its Prisms, around `work`. Its violations become failures. */
async function judged( mode, connector, module, specs, sandbox, origin, body ) {
	const servers = await Promise.all( specs.map( ( spec ) => prism( spec, work, 'proxy' === mode ? origin + spec.prefixes[ 0 ] : null ) ) );
	const routes = specs
		.flatMap( ( spec, at ) => spec.prefixes.map( ( prefix ) => ( { prefix, spec: spec.name, port: servers[ at ].port } ) ) )
		.sort( ( a, b ) => b.prefix.length - a.prefix.length );
	const judge = new Judge( routes, origin, module.outside );
	await judge.listen();
	try {
		await body( judge, servers );
	} finally {
		await judge.stop();
		await Promise.all( servers.map( ( server ) => server.stop() ) );
	}
	for ( const { name } of specs ) {
		const found = judge.violations.filter( ( one ) => one.spec === name );
		const count = judge.judged[ name ] ?? 0;
		const detail = found.map( ( one ) => `${ one.what }\n  ${ one.message }` ).join( '\n' );
		report.check( `${ name } (${ mode }): ${ found.length } violations`, 0 === found.length, detail );
		report.check( `${ name } (${ mode }): something was judged`, count > 0 );
		totals[ name ] = ( totals[ name ] ?? 0 ) + count;
	}
	apart[ connector ] = ( apart[ connector ] ?? 0 ) + judge.passed;
	const lost = judge.violations.filter( ( one ) => '' === one.spec );
	report.check( `${ connector } (${ mode }): every request was forwarded`, 0 === lost.length, JSON.stringify( lost ) );
}

/** Asks through the judge. The answer must have that status. */
function asker( judge, connector, headers ) {
	return async ( status, method, target, body, more = {} ) => {
		const json = undefined === body ? {} : { 'content-type': 'application/json' };
		const answer = await fetch( judge.origin + target, {
			method,
			headers: { ...headers, ...json, ...more },
			body: undefined === body ? undefined : JSON.stringify( body ),
		} );
		const text = await answer.text();
		report.check( `${ connector }: ${ method } ${ target } is ${ status }`, answer.status === status, `${ answer.status }: ${ text.slice( 0, 400 ) }` );
		try {
			return JSON.parse( text );
		} catch {
			return null;
		}
	};
}

/** Requests judged, by specification; and those of paths that no specification here describes, by connector. */
const totals = {};
const apart = {};

async function main() {
	const files = fs.readdirSync( catalog ).filter( ( name ) => name.endsWith( '.json' ) && 'schema.json' !== name );
	const connectors = files.map( ( name ) => name.slice( 0, -5 ) );
	const found = find( process.env, connectors );
	if ( 0 === found.length ) {
		console.log( `Nothing was judged: ${ process.env.SPECS } has no specification of ${ connectors.join( ', ' ) }.` );
		return false;
	}
	const sandbox = await Sandbox.start( process.env.TCS_SANDBOX, work );
	for ( const connector of connectors ) {
		const specs = found.filter( ( one ) => one.connector === connector ).map( ( one ) => load( one, work ) );
		if ( 0 === specs.length ) {
			continue;
		}
		const module = OWN[ connector ] ?? generic;
		const tenant = `contract-${ connector }`;
		await sandbox.tenant( tenant, KEY, connector );
		await judged( 'proxy', connector, module, specs, sandbox, sandbox.origin, async ( judge, servers ) => {
			for ( const [ at, spec ] of specs.entries() ) {
				await selfTest( connector, module, spec, servers[ at ].port, sandbox, tenant );
			}
			const ask = asker( judge, connector, module.headers( KEY ) );
			await module.requests( { ask, check: ( what, holds ) => report.check( `${ connector }: ${ what }`, holds ), sandbox, tenant } );
			await client( `${ connector } client, proxy`, 'proxy', connector, judge.origin, sandbox, tenant, module.objects );
		} );
		await judged( 'mock', connector, module, specs, sandbox, sandbox.origin, async ( judge ) => {
			await client( `${ connector } client, mock`, 'mock', connector, judge.origin, sandbox, tenant, module.objects );
		} );
		for ( const { name, amended } of specs ) {
			const words = amended > 0 ? ` (at ${ amended } places the specification contradicts itself about null: null was let pass)` : '';
			console.log( `${ name }: ${ totals[ name ] } requests judged${ words }` );
		}
		if ( apart[ connector ] > 0 ) {
			console.log( `${ connector }: ${ apart[ connector ] } requests passed unjudged, as no specification here describes their paths` );
		}
		await sandbox.call( 'DELETE', `/tenants/${ tenant }` );
	}
	return report.end();
}

let good = false;
try {
	good = await main();
} catch ( reason ) {
	console.error( reason instanceof Unusable ? `error: ${ reason.message }` : reason );
} finally {
	await stopAll();
}
process.exitCode = good ? 0 : 1;
