;; What guard.wasm is made of. The least that a guard is: it answers "1" for the version of the ABI, handles what the manifest lists, and says
;; the same of all of it. A guard that looks at the action reads the JSON at the two parameters of clawdstrike_guard_check.
(module
  (import "clawdstrike_host" "set_output" (func $set_output (param i32 i32) (result i32)))
  (import "clawdstrike_host" "request_capability" (func $request_capability (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "clawdstrike_guard_init") (result i32)
    i32.const 1)
  (func (export "clawdstrike_guard_handles") (param i32 i32) (result i32)
    i32.const 1)
  (func (export "clawdstrike_guard_check") (param i32 i32) (result i32)
    i32.const 64
    i32.const 67
    call $set_output
    drop
    i32.const 0)
  (data (i32.const 64) "{\"allowed\":false,\"severity\":\"error\",\"message\":\"Changes are frozen\"}"))
