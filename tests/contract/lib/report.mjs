// Tests of a run: each has a name and holds or does not. Knows nothing of what is tested.

export class Report {
	passed = 0;
	failed = 0;

	check( name, holds, detail = '' ) {
		if ( holds ) {
			this.passed++;
			return;
		}
		this.failed++;
		console.log( `FAILED ${ name }${ detail ? `\n  ${ String( detail ).replaceAll( '\n', '\n  ' ) }` : '' }` );
	}

	/** Whether something was tested and all of it held. */
	end() {
		console.log( `${ this.passed } passed, ${ this.failed } failed` );
		return this.passed > 0 && 0 === this.failed;
	}
}
