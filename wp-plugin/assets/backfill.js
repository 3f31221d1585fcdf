/**
 * A tenant's screen while everything is read again: it works on that in slices, one after the other, and says how far it is. Closing the screen
 * stops nothing for good: WP-Cron, the command line, or this screen goes on from there.
 */
( function () {
	'use strict';
	const form = document.querySelector( '.tcs-backfill[data-run]' );
	if ( ! form || '0' === form.dataset.run ) {
		return;
	}
	const { __, sprintf } = wp.i18n;
	const FINAL = [ 'done', 'failed', 'cancelled' ];
	const state = form.querySelector( '.tcs-backfill-state' );
	const meter = form.querySelector( 'progress' );
	const records = Number( form.dataset.records );
	const number = ( value ) => Number( value ).toLocaleString( document.documentElement.lang || undefined );
	const path = `/tenant-crm-sync/v1/sync/${ form.dataset.run }`;
	// So many answers in a row that never came, and milliseconds before the next try.
	const PATIENCE = 5;
	const REST = 1500;

	function show( run ) {
		if ( FINAL.includes( run.state ) ) {
			meter.hidden = true;
			form.querySelector( '#tcs-backfill-cancel' ).hidden = true;
			form.querySelector( '#tcs-backfill' ).hidden = false;
			state.textContent = [ run.message.replace( /\.?$/, '.' ), run.counts, run.error ].filter( Boolean ).join( ' ' );
			return;
		}
		if ( records > 0 ) {
			meter.max = Math.max( records, run.fetched );
			meter.value = run.fetched;
		}
		/* translators: 1: what state it is in, 2: number of records, 3: number of records that are known */
		const words = __( '%1$s: %2$s read, %3$s were known before.', 'tenant-crm-sync' );
		state.textContent = sprintf( words, run.message, number( run.fetched ), number( records ) );
	}

	async function work() {
		for ( let failures = 0; failures < PATIENCE; ) {
			try {
				const run = await wp.apiFetch( { path: `${ path }/slice`, method: 'POST', data: { seconds: 2 } } );
				failures = 0;
				show( run );
				if ( FINAL.includes( run.state ) ) {
					return;
				}
				if ( 'running' !== run.state ) {
					// It waits, or another worker has it.
					await new Promise( ( done ) => setTimeout( done, REST ) );
				}
			} catch ( error ) {
				failures++;
				await new Promise( ( done ) => setTimeout( done, REST * failures ) );
			}
		}
		state.textContent = __( 'This screen lost its connection to the site; a worker goes on. Reload to see how far it is.', 'tenant-crm-sync' );
	}
	work();
} )();
