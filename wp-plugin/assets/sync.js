/**
 * "Sync now", "Sync all" and "Cancel" on the Overview screen; progress.js shows how far the runs are.
 *
 * The buttons are plain forms that work without this file (they only queue a run). With it, a click starts a run over REST and this
 * screen then does the work itself: it asks for short slices, one at a time and in turn between tenants, until each run has ended. So a
 * click works although WP-Cron is off, and closing the screen loses nothing: the run stays queued for the next worker.
 */
( function ( wp, settings ) {
	'use strict';

	if ( ! wp || ! wp.apiFetch || ! settings || ! settings.view ) {
		return;
	}

	const { __, sprintf } = wp.i18n;
	const { ended, progress, row, rowOf } = settings.view;
	const NAMESPACE = '/tenant-crm-sync/v1/sync';
	const SLICE_SECONDS = 2; // The server's limit is 5; shorter slices show progress sooner.
	const IDLE_MS = 1500; // Pause after a slice that did nothing, for example because another worker has the run.
	const RETRY_MS = 5000;
	const MAX_RETRIES = 12;
	const SPEAK_EVERY_MS = 15000;

	/** Runs this screen looks after, by run id, in turn. */
	const jobs = new Map();
	let turning = false;

	const pause = ( ms ) => new Promise( ( resolve ) => setTimeout( resolve, ms ) );
	const say = ( text, how ) => wp.a11y && wp.a11y.speak( text, how || 'polite' );
	const all = () => Array.from( jobs.values() );
	const api = ( path, method, data ) => wp.apiFetch( { path: NAMESPACE + path, method: method || 'GET', data } );

	function plain( error ) {
		if ( error && [ 'rest_cookie_invalid_nonce', 'rest_not_logged_in' ].includes( error.code ) ) {
			return __( 'Your session has ended. Reload this page and log in again.', 'tenant-crm-sync' );
		}
		if ( error && error.message && error.code !== 'fetch_error' && error.code !== 'invalid_json' ) {
			return error.message;
		}
		return __( 'The site did not answer.', 'tenant-crm-sync' );
	}

	/** Only trouble on the way is worth another try; what the server refuses stays refused. */
	function passing( error ) {
		if ( String( error && error.code ).startsWith( 'tenant_crm_' ) ) {
			return false;
		}
		const status = error && error.data && error.data.status;
		return ! status || status >= 500;
	}

	function show( job, note ) {
		settings.view.summary( all() );
		row( job, note );
	}

	function announce( job ) {
		const now = Date.now();
		if ( ended( job.run ) || now - job.spoke >= SPEAK_EVERY_MS ) {
			job.spoke = now;
			const text = ended( job.run )
				? [ job.run.message, job.run.remedy || job.run.error, job.run.counts ].filter( Boolean ).join( ' ' )
				: progress( job );
			/* translators: 1: tenant, 2: progress or result */
			say( sprintf( __( '%1$s: %2$s', 'tenant-crm-sync' ), job.run.label || job.tenant, text ), job.run.state === 'failed' ? 'assertive' : 'polite' );
		}
	}

	function watch( run, pushed ) {
		const known = jobs.get( run.id );
		const job =
			known && ! known.over
				? known
				: {
						tenant: run.tenant,
						fetchedAtStart: run.state === 'queued' ? 0 : run.fetched,
						worked: 0,
						spoke: 0,
						retries: 0,
						served: 0,
						notBefore: 0,
						over: false,
					};
		job.run = run;
		job.over = ended( run );
		job.pushed = !! pushed;
		if ( pushed ) {
			job.notBefore = 0;
		}
		// Earlier runs of this tenant are history; the summary counts tenants.
		jobs.forEach( ( old, id ) => {
			if ( old.over && old.tenant === run.tenant ) {
				jobs.delete( id );
			}
		} );
		jobs.set( run.id, job );
		show( job );
		announce( job );
		turn();
	}

	function accept( job, run ) {
		// A slice that was under way while the user cancelled must not bring the run back.
		if ( job.over ) {
			return;
		}
		job.run = run;
		job.retries = 0;
		job.over = ended( run );
		const box = rowOf( job.tenant );
		// "Cancel" may have the keyboard's focus, and is about to go.
		const focused = job.over && box && box.querySelector( '.tcs-stop' ).contains( document.activeElement );
		show( job );
		announce( job );
		if ( focused ) {
			box.querySelector( '.tcs-start button' ).focus();
		}
		if ( job.over ) {
			settings.view.refresh( all );
		}
	}

	function give( job, error ) {
		job.retries += 1;
		if ( passing( error ) && job.retries <= MAX_RETRIES ) {
			job.notBefore = Date.now() + RETRY_MS;
			/* translators: %s: reason */
			show( job, sprintf( __( '%s Trying again in 5 seconds.', 'tenant-crm-sync' ), plain( error ) ) );
			return;
		}
		job.over = true;
		job.broken = true;
		job.run = Object.assign( {}, job.run, {
			state: 'failed',
			message: __( 'Stopped on this screen', 'tenant-crm-sync' ),
			error: plain( error ),
			remedy: '',
		} );
		show( job );
		announce( job );
	}

	async function work( job ) {
		const before = job.run;
		const wait = before.state === 'waiting' && before.retry_at && ! job.pushed ? Date.parse( before.retry_at ) - Date.now() : 0;
		const began = Date.now();
		job.served = began;
		job.pushed = false;
		try {
			const run = wait > 0 ? await api( '/' + before.id ) : await api( '/' + before.id + '/slice', 'POST', { seconds: SLICE_SECONDS } );
			const moved = run.fetched > before.fetched || run.pages > before.pages;
			if ( moved ) {
				job.worked += Date.now() - began;
			} else {
				job.notBefore = Date.now() + ( wait > 0 ? Math.min( wait, RETRY_MS ) : IDLE_MS );
			}
			accept( job, run );
		} catch ( error ) {
			give( job, error );
		}
	}

	/** One request at a time, so that a screen never takes more than one PHP worker. */
	async function turn() {
		if ( turning ) {
			return;
		}
		turning = true;
		for (;;) {
			const open = all().filter( ( job ) => ! job.over );
			if ( ! open.length ) {
				break;
			}
			const due = open.filter( ( job ) => job.notBefore <= Date.now() );
			if ( ! due.length ) {
				await pause( 250 );
				continue;
			}
			await work( due.reduce( ( first, job ) => ( job.served < first.served ? job : first ) ) );
		}
		turning = false;
	}

	/** Not `disabled`: a disabled button loses the keyboard's focus. Clicks on a busy form are dropped by the submit handler. */
	function busy( form, on ) {
		form.classList.toggle( 'is-busy', on );
		const button = form.querySelector( 'button' );
		button.setAttribute( 'aria-disabled', on ? 'true' : 'false' );
		button.classList.toggle( 'disabled', on );
	}

	async function start( tenant ) {
		const box = rowOf( tenant );
		const form = box && box.querySelector( '.tcs-start' );
		if ( form ) {
			busy( form, true );
			box.classList.remove( 'is-failed' );
			box.querySelector( '.tcs-progress' ).textContent = __( 'Starting…', 'tenant-crm-sync' );
		}
		try {
			const run = await api( '', 'POST', { tenant } );
			const focused = form && form.contains( document.activeElement );
			watch( run, true );
			if ( focused && ! ended( run ) ) {
				box.querySelector( '.tcs-stop button' ).focus();
			}
		} catch ( error ) {
			if ( box ) {
				box.classList.add( 'is-failed' );
				box.querySelector( '.tcs-progress' ).textContent = plain( error );
			}
			say( plain( error ), 'assertive' );
		} finally {
			if ( form ) {
				busy( form, false );
			}
		}
	}

	async function cancel( box ) {
		const job = all().find( ( one ) => one.tenant === box.dataset.tenant && ! one.over );
		const id = job ? job.run.id : Number( box.dataset.run );
		const form = box.querySelector( '.tcs-stop' );
		busy( form, true );
		try {
			const run = await api( '/' + id, 'DELETE' );
			if ( job ) {
				accept( job, run );
			} else {
				watch( run );
			}
		} catch ( error ) {
			box.querySelector( '.tcs-progress' ).textContent = plain( error );
			say( plain( error ), 'assertive' );
		} finally {
			busy( form, false );
		}
	}

	document.addEventListener( 'click', ( event ) => {
		if ( event.target.closest( '.tcs-stop-all' ) ) {
			const open = all().filter( ( job ) => ! job.over );
			open.reduce(
				( before, job ) => before.then( () => api( '/' + job.run.id, 'DELETE' ) ).then( ( run ) => accept( job, run ) ),
				Promise.resolve()
			).catch( ( error ) => say( plain( error ), 'assertive' ) );
			document.querySelector( '.tcs-all button' ).focus();
		}
	} );

	document.addEventListener( 'submit', ( event ) => {
		const form = event.target;
		const box = form.closest( '.tcs-sync' );
		if ( form.matches( '.is-busy' ) ) {
			event.preventDefault();
		} else if ( box && form.matches( '.tcs-start' ) ) {
			event.preventDefault();
			start( box.dataset.tenant );
		} else if ( box && form.matches( '.tcs-stop' ) ) {
			event.preventDefault();
			cancel( box );
		} else if ( form.matches( '.tcs-all' ) ) {
			event.preventDefault();
			busy( form, true );
			( settings.tenants || [] )
				.reduce( ( before, tenant ) => before.then( () => start( tenant ) ), Promise.resolve() )
				.then( () => busy( form, false ) );
		}
	} );

	// Runs that were open when the page was made: follow them, and help.
	( settings.runs || [] ).forEach( ( run ) => watch( run ) );
} )( window.wp, window.tenantCrmSync );
