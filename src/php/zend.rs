//! The hand-written unsafe code of the face: what ext-php-rs does not offer, or offers with another behaviour than PHP's.
//!
//! Classes made here can be subclassed, mocked and cloned like userland classes; arguments follow PHP's weak typing;
//! arrays are filled without intermediate values. Everything that leaves this file is safe to use. Nothing here knows
//! what a CRM is.

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::{ManuallyDrop, offset_of};
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use ext_php_rs::exception::{PhpException, PhpResult};
use ext_php_rs::ffi;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData, ModuleEntry};

unsafe extern "C" {
    fn zend_ini_long(name: *const c_char, length: usize, orig: c_int) -> i64;
    fn zend_ini_string(name: *const c_char, length: usize, orig: c_int) -> *const c_char;
    fn zend_memory_usage(real: bool) -> usize;
    fn object_init_ex(value: *mut Zval, class: *mut ClassEntry) -> c_int;
    fn zend_get_constant_str(name: *const c_char, length: usize) -> *mut Zval;
    fn zend_parse_arg_str_weak(arg: *mut Zval, out: *mut *mut ffi::zend_string, number: u32) -> bool;
    fn zend_parse_arg_bool_weak(arg: *mut Zval, out: *mut bool, number: u32) -> bool;
    fn zend_parse_arg_double_weak(arg: *mut Zval, out: *mut f64, number: u32) -> bool;
    fn zend_parse_arg_long_weak(arg: *mut Zval, out: *mut i64, number: u32) -> bool;
    fn zend_argument_type_error(number: u32, format: *const c_char, ...);
    fn zend_zval_type_name(arg: *const Zval) -> *const c_char;
    fn zval_try_get_string_func(value: *mut Zval) -> *mut ffi::zend_string;
    fn zend_update_property(
        scope: *mut ClassEntry,
        object: *mut ffi::zend_object,
        name: *const c_char,
        length: usize,
        value: *mut Zval,
    );
    fn zend_hash_real_init_packed(table: *mut ffi::HashTable);
    fn _zend_handle_numeric_str_ex(key: *const u8, length: usize, index: *mut u64) -> bool;
    fn zend_hash_set_bucket_key(
        table: *mut ffi::HashTable,
        bucket: *mut ffi::_Bucket,
        key: *mut ffi::zend_string,
    ) -> *mut Zval;
    fn php_log_err_with_severity(message: *const c_char, severity: c_int);
    fn display_ini_entries(module: *mut ModuleEntry);
    static zend_empty_string: *mut ffi::zend_string;
    static zend_one_char_string: [*mut ffi::zend_string; 256];
    static spl_ce_RuntimeException: *mut ClassEntry;
}

/// `\RuntimeException`, which cannot be looked up by name while modules start.
pub fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL is always compiled in and starts before extensions; its class entries live as long as the process.
    unsafe { &*spl_ce_RuntimeException }
}

/// A class of PHP's or ours, also while modules start, when ext-php-rs cannot find it yet.
pub fn internal_class(name: &str) -> Option<&'static ClassEntry> {
    let key = name.to_ascii_lowercase();
    // SAFETY: the compiler's class table exists from before modules start; its values are class entries, and those of
    // internal classes live as long as the process.
    unsafe {
        let table = (*ffi::ext_php_rs_compiler_globals()).class_table;
        let found = ffi::zend_hash_str_find(table, key.as_ptr().cast(), key.len()).as_ref()?;
        found.ptr::<ClassEntry>().and_then(|entry| entry.as_ref())
    }
}

// ---------------------------------------------------------------------------------------------------------------- INI

/// An INI value as this request sees it.
pub fn ini_text(name: &CStr) -> String {
    // SAFETY: the name is a C string of the given length; the result is null or a C string that PHP keeps until the
    // value changes, and it is copied at once.
    unsafe {
        let text = zend_ini_string(name.as_ptr(), name.count_bytes(), 0);
        if text.is_null() {
            String::new()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// An INI value as a number.
pub fn ini_number(name: &CStr) -> i64 {
    // SAFETY: the name is a C string of the given length.
    unsafe { zend_ini_long(name.as_ptr(), name.count_bytes(), 0) }
}

/// Prints the extension's INI table into phpinfo().
pub fn print_ini_entries(module: *mut ModuleEntry) {
    // SAFETY: PHP hands its own module entry to the info function, which is the only caller.
    unsafe { display_ini_entries(module) }
}

/// A copy of a PHP constant of this request.
pub fn constant(name: &str) -> Option<Zval> {
    // SAFETY: the result is null or a constant's value, which lives until the request ends.
    unsafe { zend_get_constant_str(name.as_ptr().cast(), name.len()).as_ref() }.map(Zval::shallow_clone)
}

/// One line in PHP's error log.
pub fn log_line(line: &str) {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Ok(line) = CString::new(line) {
        const LOG_NOTICE: c_int = 5;
        // SAFETY: a C string that PHP copies.
        unsafe { php_log_err_with_severity(line.as_ptr(), LOG_NOTICE) }
    }
}

/// Whether an exception is under way.
#[inline]
pub fn exception_pending() -> bool {
    // SAFETY: the executor's globals live as long as the process (ZTS: as the thread); only this thread writes them.
    unsafe { !(*ffi::ext_php_rs_executor_globals()).exception.is_null() }
}

/// Whether so many bytes more would pass `memory_limit`. PHP ends most code that passes it, but some builds let extensions go on to
/// a hard limit that kills the process; so whoever builds large things from a CRM's answer asks.
#[inline]
pub fn passes_memory_limit(bytes: usize) -> bool {
    // SAFETY: reads counters of this thread.
    unsafe {
        let limit = (*ffi::ext_php_rs_process_globals()).memory_limit;
        usize::try_from(limit).is_ok_and(|limit| zend_memory_usage(true).saturating_add(bytes) > limit)
    }
}

/// Whether PHP wants its thread back; runs pending signal handlers. Call it with no lock or borrow held.
pub fn interrupted() -> bool {
    // SAFETY: the flags are single bytes that signal handlers may write at any time; they live as long as the process (ZTS: as
    // the thread). With the flag cleared first, calling the handler is what the VM does when it sees the flag.
    let timed_out = unsafe {
        let globals = ffi::ext_php_rs_executor_globals();
        let wanted = AtomicBool::from_ptr((&raw mut (*globals).vm_interrupt).cast());
        let timed_out = ptr::read_volatile((&raw const (*globals).timed_out).cast::<bool>());
        if !wanted.load(Ordering::Acquire) {
            return false;
        }
        // A time limit is for the VM to tell: it must find the flag.
        if !timed_out {
            wanted.store(false, Ordering::Release);
            if let Some(handle) = ffi::zend_interrupt_function {
                handle((*globals).current_execute_data);
            }
        }
        timed_out
    };
    timed_out || exception_pending()
}

/// Whether scripts are being preloaded: in the master, before it forks.
pub fn is_preloading() -> bool {
    const ZEND_COMPILE_PRELOAD: u32 = 1 << 15;
    const ZEND_COMPILE_PRELOAD_IN_CHILD: u32 = 1 << 17;
    // SAFETY: the compiler's globals live as long as the process (ZTS: as the thread).
    let options = unsafe { (*ffi::ext_php_rs_compiler_globals()).compiler_options };
    options & (ZEND_COMPILE_PRELOAD | ZEND_COMPILE_PRELOAD_IN_CHILD) != 0
}

// ------------------------------------------------------------------------------------------------------------ classes

/// A Rust type behind a PHP class. Its state is shared by counting, so a method may run while `__construct` is called
/// again on the same object.
pub trait PhpClass: Sized + 'static {
    /// Where the class is kept.
    fn class() -> &'static Class;
    /// What `clone` gives; `None` forbids it.
    fn duplicate(&self) -> Option<Self>;
}

/// A registered class.
pub struct Class {
    entry: AtomicPtr<ClassEntry>,
    handlers: OnceLock<Handlers>,
}

struct Handlers(ffi::zend_object_handlers);
// SAFETY: the table holds function pointers and an offset, and is never written again.
unsafe impl Send for Handlers {}
// SAFETY: as above.
unsafe impl Sync for Handlers {}

#[repr(C)]
struct Instance<T> {
    state: Option<Rc<T>>,
    std: ffi::zend_object,
}

impl Class {
    /// A class that is not registered yet.
    pub const fn new() -> Self {
        Self {
            entry: AtomicPtr::new(ptr::null_mut()),
            handlers: OnceLock::new(),
        }
    }

    /// Makes objects of this class, and of its subclasses, carry a `T`.
    pub fn bind<T: PhpClass>(&self, entry: &'static mut ClassEntry) {
        entry.__bindgen_anon_2.create_object = Some(create::<T>);
        entry.ce_flags |= ffi::ZEND_ACC_NOT_SERIALIZABLE;
        self.entry.store(entry, Ordering::Release);
    }

    /// The class entry, once registered.
    pub fn entry(&self) -> Option<&'static ClassEntry> {
        // SAFETY: null or an internal class, which lives as long as the process.
        unsafe { self.entry.load(Ordering::Acquire).as_ref() }
    }

    #[inline]
    fn handlers<T: PhpClass>(&self) -> *const ffi::zend_object_handlers {
        &raw const self
            .handlers
            .get_or_init(|| {
                // SAFETY: PHP's standard table is a constant.
                let mut table = unsafe { ffi::std_object_handlers };
                table.offset = offset_of!(Instance<T>, std) as _;
                table.free_obj = Some(free::<T>);
                table.clone_obj = Some(duplicate::<T>);
                Handlers(table)
            })
            .0
    }
}

unsafe extern "C" fn create<T: PhpClass>(entry: *mut ClassEntry) -> *mut ffi::zend_object {
    // SAFETY: PHP passes the class to instantiate. The allocation has room for `Instance<T>` and the class's declared
    // properties, which PHP's own functions initialise.
    unsafe {
        let instance = ffi::ext_php_rs_zend_object_alloc(size_of::<Instance<T>>(), entry).cast::<Instance<T>>();
        ptr::write(&raw mut (*instance).state, None);
        let object = &raw mut (*instance).std;
        ffi::zend_object_std_init(object, entry);
        ffi::object_properties_init(object, entry);
        (*object).handlers = T::class().handlers::<T>();
        object
    }
}

/// The instance around an object of `T`'s class or a subclass.
#[inline]
fn instance<T: PhpClass>(object: *mut ffi::zend_object) -> Option<*mut Instance<T>> {
    // SAFETY: the pointer is null or an object; only objects that `create::<T>` made have `T`'s handlers.
    unsafe {
        let handlers = object.as_ref()?.handlers;
        if !ptr::eq(handlers, T::class().handlers::<T>()) {
            return None;
        }
        Some(object.byte_sub(offset_of!(Instance<T>, std)).cast())
    }
}

unsafe extern "C" fn free<T: PhpClass>(object: *mut ffi::zend_object) {
    if let Some(instance) = instance::<T>(object) {
        // SAFETY: the object is being freed, so nothing else refers to its state slot. A panic in a `Drop` must not
        // cross into C.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| unsafe {
            drop((*instance).state.take())
        }));
    }
    // SAFETY: PHP calls this once, for an object that `create` initialised.
    unsafe { ffi::zend_object_std_dtor(object) }
}

unsafe extern "C" fn duplicate<T: PhpClass>(old: *mut ffi::zend_object) -> *mut ffi::zend_object {
    let state = state::<T>(old);
    let copy = state
        .as_ref()
        .map(|state| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| state.duplicate())).unwrap_or_default());
    // SAFETY: `old` is a live object of T's class; the new one is of the same (sub)class.
    unsafe {
        let new = create::<T>((*old).ce);
        match copy {
            Some(None) => {
                PhpException::new(
                    format!(
                        "Trying to clone an uncloneable object of class {}",
                        (*(*old).ce).name().unwrap_or_default()
                    ),
                    0,
                    ext_php_rs::zend::ce::error(),
                )
                .throw();
            }
            Some(Some(copy)) => {
                if let Some(instance) = instance::<T>(new) {
                    (*instance).state = Some(Rc::new(copy));
                }
                ffi::zend_objects_clone_members(new, old);
            }
            // Never constructed (a mock): there is no state to copy.
            None => ffi::zend_objects_clone_members(new, old),
        }
        new
    }
}

#[inline]
fn state<T: PhpClass>(object: *mut ffi::zend_object) -> Option<Rc<T>> {
    // SAFETY: `instance` has checked that this is an `Instance<T>`.
    instance::<T>(object).and_then(|instance| unsafe { (*instance).state.clone() })
}

/// The state of an object of `T`'s class or a subclass; `None` where it is another value, or was not constructed.
pub fn state_of<T: PhpClass>(value: &Zval) -> Option<Rc<T>> {
    state::<T>(pointer_to(value))
}

fn pointer_to(value: &Zval) -> *mut ffi::zend_object {
    value
        .object()
        .map_or(ptr::null_mut(), |object| ptr::from_ref(object).cast_mut())
}

fn not_constructed() -> PhpException {
    PhpException::new(
        String::from("the parent's constructor was not called"),
        0,
        ext_php_rs::zend::ce::error(),
    )
}

/// A new object of `class`, which is T's or a subclass of it, without calling a constructor.
pub fn new_object<T: PhpClass>(class: &ClassEntry, value: T) -> PhpResult<Zval> {
    let mut zval = Zval::new();
    // SAFETY: PHP's own way to make an object: it resolves the class's constants first and refuses abstract classes. The zval
    // gets the object with its one reference.
    let made = unsafe { object_init_ex(&raw mut zval, ptr::from_ref(class).cast_mut()) };
    if made != 0 {
        return Err(pending());
    }
    let object = zval.object_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let instance = instance::<T>(object).ok_or("the class has another state")?;
    // SAFETY: the object was made a few lines ago and is referred to from nowhere else.
    unsafe { (*instance).state = Some(Rc::new(value)) };
    Ok(zval)
}

/// Changes type masks of a class's own methods, as `change( mask, is_return_type )` says; while the module starts.
pub fn retype(entry: &mut ClassEntry, change: impl Fn(u32, bool) -> u32) {
    for function in entry.function_table.values() {
        // SAFETY: a method table holds pointers to functions.
        let Some(function) = (unsafe { function.ptr::<ffi::zend_function>() }) else {
            continue;
        };
        // SAFETY: a method table holds functions; those of an internal class are internal, and their argument info is
        // memory that is written to only here, before any request.
        unsafe {
            let internal = &mut (*function).internal_function;
            if internal.arg_info.is_null() || internal.type_ != ffi::ZEND_INTERNAL_FUNCTION as u8 {
                continue;
            }
            let returns = internal.arg_info.sub(1);
            (*returns).type_.type_mask = change((*returns).type_.type_mask, true);
            for position in 0..internal.num_args as usize {
                let argument = internal.arg_info.add(position);
                (*argument).type_.type_mask = change((*argument).type_.type_mask, false);
            }
        }
    }
}

/// The key under which a class is found, and one under which it is not, so that a site can declare a class of that name itself.
pub struct ClassKeys {
    visible: AtomicPtr<ffi::zend_string>,
    hidden: AtomicPtr<ffi::zend_string>,
}

impl ClassKeys {
    /// Keys that are not made yet.
    pub const fn new() -> Self {
        Self {
            visible: AtomicPtr::new(ptr::null_mut()),
            hidden: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Makes the keys; while the module starts, when interned strings live as long as the process.
    pub fn make(&self, visible: &str, hidden: &str) {
        let interned = |text: &str| ZendStr::new_interned(text, true).into_raw();
        self.visible.store(interned(visible), Ordering::Release);
        self.hidden.store(interned(hidden), Ordering::Release);
    }

    /// Shows the class to this request, or hides it.
    pub fn show(&self, visible: bool) {
        let (shown, hidden) = (
            self.visible.load(Ordering::Acquire),
            self.hidden.load(Ordering::Acquire),
        );
        if shown.is_null() || hidden.is_null() {
            return;
        }
        let (from, to) = if visible { (hidden, shown) } else { (shown, hidden) };
        // SAFETY: a request that begins runs no code that walks the class table. The entry stays in its place, only its key
        // changes, to a permanent interned string.
        unsafe {
            let table = (*ffi::ext_php_rs_compiler_globals()).class_table;
            let found = ffi::zend_hash_find(table, from);
            if !found.is_null() {
                // A zval is the first member of its bucket. Null means that the name is taken: then nothing changes.
                zend_hash_set_bucket_key(table, found.cast(), to);
            }
        }
    }
}

// -------------------------------------------------------------------------------------------------------------- calls

/// One call of a method from PHP.
pub struct Call<'a> {
    frame: &'a mut ExecuteData,
}

/// Runs a method: panics become PHP errors, bailouts pass.
pub fn run(frame: &mut ExecuteData, result: &mut Zval, method: fn(&mut Call<'_>) -> PhpResult<Zval>) {
    let guarded = std::panic::AssertUnwindSafe(|| {
        let mut call = Call { frame };
        match method(&mut call) {
            Ok(value) => answer(result, value),
            Err(exception) => exception.throw(),
        }
    });
    ext_php_rs::zend::run_handler(guarded);
}

/// The same for what calls nothing of PHP's, so that no fatal error can jump out of it: it needs no guard, which costs as much as
/// a short method. False: it has not answered, and nothing has happened.
#[inline]
pub fn run_alone(
    frame: &mut ExecuteData,
    result: &mut Zval,
    method: impl FnOnce(&mut Call<'_>) -> Option<Zval>,
) -> bool {
    let mut call = Call { frame };
    let guarded = std::panic::AssertUnwindSafe(|| method(&mut call));
    let Ok(Some(value)) = std::panic::catch_unwind(guarded) else {
        return false;
    };
    answer(result, value);
    true
}

/// As ZVAL_COPY_VALUE does it. PHP has made the result null: there is nothing to be freed.
fn answer(result: &mut Zval, value: Zval) {
    result.value = value.value;
    result.u1 = value.u1;
    std::mem::forget(value);
}

impl Call<'_> {
    /// How many arguments were passed; more than declared is allowed, as for userland methods.
    pub fn count(&self) -> usize {
        // SAFETY: `u2` of a frame's `This` always holds the number of arguments.
        unsafe { self.frame.This.u2.num_args as usize }
    }

    fn slot(&self, position: usize) -> Option<*mut Zval> {
        if position >= self.count() {
            return None;
        }
        let header = size_of::<ExecuteData>().div_ceil(size_of::<Zval>());
        let frame: *const ExecuteData = self.frame;
        // SAFETY: PHP lays the arguments out behind the frame's header, `count` of them.
        let slot = unsafe { frame.cast_mut().cast::<Zval>().add(header + position) };
        // SAFETY: the slot is initialised.
        Some(unsafe {
            if (*slot).is_reference() {
                ptr::from_mut((*slot).dereference_mut())
            } else {
                slot
            }
        })
    }

    /// An argument as it was passed, references followed.
    pub fn arg(&self, position: usize) -> Option<&Zval> {
        // SAFETY: the slot lives as long as the call.
        self.slot(position).map(|slot| unsafe { &*slot })
    }

    /// The number of arguments must be at least this.
    pub fn at_least(&self, least: u32, most: u32) -> PhpResult<()> {
        if self.count() >= least as usize {
            return Ok(());
        }
        // SAFETY: throws an ArgumentCountError for the current frame.
        unsafe { ffi::zend_wrong_parameters_count_error(least, most) };
        Err(pending())
    }

    fn type_error(&self, position: usize, expected: &CStr) -> PhpException {
        match self.arg(position) {
            Some(given) => wrong_type(position, expected, given),
            None => pending(),
        }
    }

    fn is_strict(&self) -> bool {
        // SAFETY: the caller's frame, if there is one, is live; `common` is valid for every kind of function.
        unsafe {
            let Some(caller) = self.frame.prev_execute_data.as_ref() else {
                return false;
            };
            caller
                .func
                .as_ref()
                .is_some_and(|function| function.common.fn_flags & ffi::ZEND_ACC_STRICT_TYPES != 0)
        }
    }

    /// A `string` argument by PHP's rules for the caller's typing mode.
    pub fn text(&self, position: usize) -> PhpResult<Vec<u8>> {
        let slot = self.slot(position).ok_or_else(pending)?;
        // SAFETY: the slot is initialised; PHP's conversion writes the result back into it, as for its own functions.
        unsafe {
            if let Some(text) = (*slot).zend_str() {
                return Ok(text.as_bytes().to_vec());
            }
            if !self.is_strict() && !(*slot).is_null() {
                let mut out = ptr::null_mut();
                if zend_parse_arg_str_weak(slot, &raw mut out, 0)
                    && let Some(text) = out.as_ref()
                {
                    return Ok(text.as_bytes().to_vec());
                }
                if exception_pending() {
                    return Err(pending());
                }
            }
        }
        Err(self.type_error(position, c"string"))
    }

    /// A `string` argument that must be UTF-8.
    pub fn utf8(&self, position: usize, name: &str) -> PhpResult<String> {
        String::from_utf8(self.text(position)?).map_err(|_| format!("${name} is not UTF-8").into())
    }

    /// A `bool` argument.
    pub fn boolean(&self, position: usize) -> PhpResult<bool> {
        let slot = self.slot(position).ok_or_else(pending)?;
        // SAFETY: as in `text`.
        unsafe {
            if let Some(value) = (*slot).bool() {
                return Ok(value);
            }
            let mut out = false;
            if !self.is_strict() && !(*slot).is_null() && zend_parse_arg_bool_weak(slot, &raw mut out, 0) {
                return Ok(out);
            }
        }
        Err(self.type_error(position, c"bool"))
    }

    /// An `int` argument.
    pub fn integer(&self, position: usize) -> PhpResult<i64> {
        let slot = self.slot(position).ok_or_else(pending)?;
        // SAFETY: as in `text`.
        unsafe {
            if let Some(value) = (*slot).long() {
                return Ok(value);
            }
            let mut out = 0;
            if !self.is_strict() && !(*slot).is_null() && zend_parse_arg_long_weak(slot, &raw mut out, 0) {
                return Ok(out);
            }
            if exception_pending() {
                return Err(pending());
            }
        }
        Err(self.type_error(position, c"int"))
    }

    /// A `float` argument; whole numbers are ones in every typing mode.
    pub fn number(&self, position: usize) -> PhpResult<f64> {
        let slot = self.slot(position).ok_or_else(pending)?;
        // SAFETY: as in `text`.
        unsafe {
            if let Some(value) = (*slot).double() {
                return Ok(value);
            }
            let mut out = 0.0;
            let is_allowed = !self.is_strict() || (*slot).is_long();
            if is_allowed && !(*slot).is_null() && zend_parse_arg_double_weak(slot, &raw mut out, 0) {
                return Ok(out);
            }
            if exception_pending() {
                return Err(pending());
            }
        }
        Err(self.type_error(position, c"float"))
    }

    /// The state of an argument that is an object of `T`'s class or a subclass.
    pub fn object<T: PhpClass>(&self, position: usize, class: &CStr) -> PhpResult<Rc<T>> {
        let given = self.arg(position).ok_or_else(pending)?;
        if instance::<T>(pointer_to(given)).is_none() {
            return Err(self.type_error(position, class));
        }
        state_of(given).ok_or_else(not_constructed)
    }

    /// An `array` argument.
    pub fn array(&self, position: usize) -> PhpResult<&ZendHashTable> {
        match self.arg(position).and_then(Zval::array) {
            Some(array) => Ok(array),
            None => Err(self.type_error(position, c"array")),
        }
    }

    /// The state of `$this`.
    pub fn this<T: PhpClass>(&mut self) -> PhpResult<Rc<T>> {
        self.constructed().ok_or_else(not_constructed)
    }

    /// The state of `$this`; `None` where it has none.
    #[inline]
    pub fn constructed<T: PhpClass>(&mut self) -> Option<Rc<T>> {
        let object = self.frame.get_self().map_or(ptr::null_mut(), ptr::from_mut);
        state::<T>(object)
    }

    /// Gives `$this` its state; for constructors.
    pub fn construct<T: PhpClass>(&mut self, value: T) -> PhpResult<Zval> {
        let object = self.frame.get_self().map_or(ptr::null_mut(), ptr::from_mut);
        let instance = instance::<T>(object).ok_or_else(|| PhpException::from("the object has another state"))?;
        // SAFETY: the object is live; whoever holds the old state has counted it.
        let old = unsafe { (*instance).state.replace(Rc::new(value)) };
        drop(old);
        Ok(Zval::null())
    }

    /// `$this` as a value.
    pub fn this_value(&mut self) -> Zval {
        let mut value = Zval::null();
        if let Some(object) = self.frame.get_self() {
            value.set_object(object);
        }
        value
    }

    /// The class that a static method was called on.
    pub fn called_class(&mut self) -> Option<&'static ClassEntry> {
        if let Some(object) = self.frame.get_self() {
            // SAFETY: an object's class outlives it.
            return unsafe { object.ce.cast_const().as_ref() };
        }
        // SAFETY: without an object, `This` of a method's frame holds the called class.
        unsafe { self.frame.This.value.ce.cast_const().as_ref() }
    }

    /// An argument that no trace may show: a copy, while the argument itself is overwritten.
    pub fn take(&mut self, position: usize) -> Zval {
        let value = self.arg(position).map_or_else(Zval::null, Zval::shallow_clone);
        self.hide(position);
        value
    }

    /// Overwrites an argument, so that no exception's trace shows it.
    pub fn hide(&mut self, position: usize) {
        if let Some(slot) = self.slot(position) {
            let mut hidden = Zval::new();
            // Text always fits.
            let _ = hidden.set_string("[hidden]", false);
            // SAFETY: the slot is initialised and owned by the frame; the old value is dropped once.
            unsafe { *slot = hidden };
        }
    }
}

/// Throws PHP's TypeError for an argument of the current call.
pub fn wrong_type(position: usize, expected: &CStr, given: &Zval) -> PhpException {
    #[expect(clippy::cast_possible_truncation, reason = "PHP counts arguments in 32 bits")]
    let number = position as u32 + 1;
    // SAFETY: both texts are C strings; the format takes exactly two.
    unsafe {
        zend_argument_type_error(
            number,
            c"must be of type %s, %s given".as_ptr(),
            expected.as_ptr(),
            zend_zval_type_name(given),
        );
    }
    pending()
}

/// Stands for an exception that is already under way: throwing it changes nothing.
pub fn pending() -> PhpException {
    PhpException::from_message(String::from("the call failed"))
}

/// PHP's own conversion to a bool.
pub fn is_true(value: &Zval) -> bool {
    value.coerce_to_bool()
}

/// PHP's own conversion to a string.
pub fn to_text(value: &Zval) -> PhpResult<String> {
    if let Some(text) = value.str() {
        return Ok(text.to_owned());
    }
    let mut copy = ManuallyDrop::new(value.shallow_clone());
    // SAFETY: the copy is a valid zval; the result is null (an exception is pending) or a string we own.
    unsafe {
        let text = zval_try_get_string_func(&raw mut *copy);
        ManuallyDrop::drop(&mut copy);
        let Some(found) = text.as_ref() else {
            return Err(pending());
        };
        let owned = String::from_utf8_lossy(found.as_bytes()).into_owned();
        ffi::ext_php_rs_zend_string_release(text);
        Ok(owned)
    }
}

/// The bytes of a string or number, as PHP writes them.
pub fn to_bytes(value: &Zval) -> PhpResult<Vec<u8>> {
    match value.zend_str() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => to_text(value).map(String::into_bytes),
    }
}

/// Writes a declared property of an object, past visibility.
pub fn set_property(object: &mut ffi::zend_object, name: &str, mut value: Zval) {
    let scope = object.ce;
    // SAFETY: the object is live; PHP copies the value and counts its reference.
    unsafe { zend_update_property(scope, object, name.as_ptr().cast(), name.len(), &raw mut value) }
}

// ------------------------------------------------------------------------------------------------------------- arrays

/// A value on its way into an array: two registers. A `Zval` is written in parts and moved as a whole, which processors wait for at
/// each move.
pub struct Value {
    word: u64,
    info: u32,
}

impl Value {
    /// `null`
    #[inline]
    pub const fn null() -> Self {
        Self {
            word: 0,
            info: ffi::IS_NULL,
        }
    }

    /// `true` or `false`
    #[inline]
    pub const fn boolean(value: bool) -> Self {
        Self {
            word: 0,
            info: if value { ffi::IS_TRUE } else { ffi::IS_FALSE },
        }
    }

    /// A whole number.
    #[inline]
    pub const fn integer(value: i64) -> Self {
        Self {
            word: value.cast_unsigned(),
            info: ffi::IS_LONG,
        }
    }

    /// Any other number.
    #[inline]
    pub const fn float(value: f64) -> Self {
        Self {
            word: value.to_bits(),
            info: ffi::IS_DOUBLE,
        }
    }

    /// A string; short ones are PHP's shared ones.
    #[inline]
    pub fn text(text: &[u8]) -> Self {
        // SAFETY: the table of one-character strings has an entry for every byte; those and the empty string are permanent
        // and interned, so no reference is counted. A new string's one reference goes to the value.
        let (pointer, info) = unsafe {
            match text {
                [] => (zend_empty_string, ffi::IS_INTERNED_STRING_EX),
                [byte] => (
                    zend_one_char_string
                        .get(*byte as usize)
                        .copied()
                        .unwrap_or(zend_empty_string),
                    ffi::IS_INTERNED_STRING_EX,
                ),
                text => (
                    ffi::ext_php_rs_zend_string_init(text.as_ptr().cast(), text.len(), false),
                    ffi::IS_STRING_EX,
                ),
            }
        };
        Self {
            word: pointer.expose_provenance() as u64,
            info,
        }
    }

    /// As PHP keeps it.
    #[inline]
    pub fn into_zval(self) -> Zval {
        let Self { word, info } = *ManuallyDrop::new(self);
        let mut zval = Zval::new();
        zval.value.lval = word.cast_signed();
        zval.u1.type_info = info;
        zval
    }
}

impl From<Zval> for Value {
    #[inline]
    fn from(zval: Zval) -> Self {
        let zval = ManuallyDrop::new(zval);
        // SAFETY: any bits of a value are a number, and any of its type are one. What it refers to is taken over.
        unsafe {
            Self {
                word: zval.value.lval.cast_unsigned(),
                info: zval.u1.type_info,
            }
        }
    }
}

impl Drop for Value {
    #[cold]
    fn drop(&mut self) {
        // What is left behind refers to nothing.
        drop(std::mem::replace(self, Self::null()).into_zval());
    }
}

/// A string value; short ones are PHP's shared ones.
#[inline]
pub fn string(text: &[u8]) -> Zval {
    Value::text(text).into_zval()
}

/// A number value.
pub fn integer(value: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(value);
    zval
}

/// A number value with a fraction.
pub fn float(value: f64) -> Zval {
    let mut zval = Zval::new();
    // Not `set_double`, which looks first whether there is something to be freed.
    zval.value.dval = value;
    zval.u1.type_info = ffi::IS_DOUBLE;
    zval
}

/// `[]`, which all empty arrays share.
pub fn empty_array() -> Zval {
    let mut value = Zval::new();
    value.value.arr = (&raw const ffi::zend_empty_array).cast_mut();
    // Immutable: neither counted nor freed.
    value.u1.type_info = ffi::IS_ARRAY;
    value
}

/// A PHP array that is being filled.
pub struct Array(*mut ffi::zend_array);

impl Array {
    /// A list.
    #[inline]
    pub fn list() -> Self {
        // SAFETY: a new array, laid out as a list before anything is in it.
        unsafe {
            let table = ffi::_zend_new_array(8);
            zend_hash_real_init_packed(table);
            Self(table)
        }
    }

    /// An array with keys and room for about `size` members.
    #[inline]
    pub fn map(size: u32) -> Self {
        // SAFETY: a new array.
        Self(unsafe { ffi::_zend_new_array(size) })
    }

    /// One more element.
    #[inline]
    pub fn push(&mut self, value: impl Into<Value>) {
        let mut value = ManuallyDrop::new(value.into().into_zval());
        // SAFETY: the table is ours; it takes the value over without counting.
        unsafe { ffi::zend_hash_next_index_insert(self.0, &raw mut *value) };
    }

    /// One more member; replaces an earlier one of the same name.
    #[inline]
    pub fn insert(&mut self, key: &Key, value: impl Into<Value>) {
        let mut value = ManuallyDrop::new(value.into().into_zval());
        // SAFETY: the table is ours and takes the value over; it counts its own reference to the key.
        unsafe {
            match *key {
                Key::Index(index) => ffi::zend_hash_index_update(self.0, index, &raw mut *value),
                Key::Name(name) => ffi::zend_hash_update(self.0, name, &raw mut *value),
            };
        }
    }

    /// The finished array.
    #[inline]
    pub fn into_value(self) -> Zval {
        let table = ManuallyDrop::new(self).0;
        let mut value = Zval::new();
        value.value.arr = table;
        value.u1.type_info = ffi::IS_ARRAY_EX;
        value
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        // SAFETY: an array that was not handed out has one reference, ours.
        unsafe { ffi::zend_array_destroy(self.0) }
    }
}

/// A member's name; the way PHP stores `"12"` is the number 12.
pub enum Key {
    /// A name that reads as a number.
    Index(u64),
    /// Any other; counted.
    Name(*mut ffi::zend_string),
}

impl Key {
    /// The key for a name.
    #[inline]
    pub fn new(name: &[u8]) -> Self {
        // What PHP's own inline check lets through; the function behind it relies on it.
        let numeric = match name {
            [b'-', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
            [] => false,
        };
        if numeric {
            let mut index = 0;
            // SAFETY: the name has the given length.
            if unsafe { _zend_handle_numeric_str_ex(name.as_ptr(), name.len(), &raw mut index) } {
                return Self::Index(index);
            }
        }
        // SAFETY: makes a copy with one reference, ours.
        Self::Name(unsafe { ffi::ext_php_rs_zend_string_init(name.as_ptr().cast(), name.len(), false) })
    }

    /// The name's bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Index(_) => &[],
            // SAFETY: the string lives as long as our reference.
            Self::Name(name) => unsafe { (**name).as_bytes() },
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if let Self::Name(name) = *self {
            // SAFETY: gives up the one reference that `new` took.
            unsafe { ffi::ext_php_rs_zend_string_release(name) }
        }
    }
}
