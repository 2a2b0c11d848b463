//! The system calls that a child may make once it is ready: computing, its memory, its two pipes. All others answer "not permitted".

use anyhow::Context;
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition as Condition, SeccompFilter,
    SeccompRule as Rule,
};

/// Allowed with any arguments.
const PLAIN: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_sched_yield,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Puts the filter up. It holds for good.
///
/// # Errors
/// When the kernel has no such filter, or this kind of processor isn't known.
pub fn put_up() -> anyhow::Result<()> {
    let me = u64::from(std::process::id());
    let mut rules: Vec<(libc::c_long, Vec<Rule>)> = PLAIN.iter().map(|call| (*call, Vec::new())).collect();
    // Memory that holds data is never run.
    let no_code = || -> anyhow::Result<Rule> {
        let execute = u64::try_from(libc::PROT_EXEC)?;
        Ok(Rule::new(vec![Condition::new(2, Length::Dword, Is::MaskedEq(execute), 0)?])?)
    };
    rules.push((libc::SYS_mmap, vec![no_code()?]));
    rules.push((libc::SYS_mprotect, vec![no_code()?]));
    // Its own limits and its own end (`abort`), nobody else's.
    let own = |who: u64| -> anyhow::Result<Rule> { Ok(Rule::new(vec![Condition::new(0, Length::Dword, Is::Eq, who)?])?) };
    rules.push((libc::SYS_prlimit64, vec![own(0)?]));
    rules.push((libc::SYS_tgkill, vec![own(me)?]));
    let refused = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
    let filter =
        SeccompFilter::new(rules.into_iter().collect(), refused, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program).context("the kernel takes no filter")
}
