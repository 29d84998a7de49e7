extension BuiltinSampler {
    package static let disk = BuiltinSampler(
        "disk", "traffic of the disks, from /proc/diskstats; loops, RAM disks and partitions are left out",
        [
            Field("read", "KiB/s", "read by all disks"), Field("written", "KiB/s", "written to all disks"),
            Field("reads", "1/s", "completed reads"), Field("writes", "1/s", "completed writes"),
            Field("busy", "%", "of the busiest disk"),
        ],
        .shell(
            library + #"""
                e_disks=; for e_d in /sys/block/*; do e_n=${e_d##*/}; case $e_n in loop*|ram*|zram*|dm-*|md*|sr*|nbd*|fd*) ;;
                *) e_disks="$e_disks $e_n " ;; esac; done
                e_rate() { if [ $e_dt -gt 0 ]; then e_v=$((($1*100+e_dt/2)/e_dt)); else e_v=; fi; }
                e_sample() { e_now; e_dt=$((e_t-${e_was:-e_t})) e_was=$e_t e_r=0 e_w=0 e_rn=0 e_wn=0 e_b=0
                while read -r e_x e_x e_n e_a e_x e_s e_x e_c e_x e_o e_x e_x e_i e_x; do case $e_disks in *" $e_n "*) ;; *) continue ;; esac
                case $e_n in *[!a-zA-Z0-9]*) continue ;; esac
                e_r=$((e_r+e_s)) e_w=$((e_w+e_o)) e_rn=$((e_rn+e_a)) e_wn=$((e_wn+e_c)); eval "e_old=\${e_busy_$e_n:-$e_i}; e_busy_$e_n=$e_i"
                [ $((e_i-e_old)) -le $e_b ] || e_b=$((e_i-e_old)); done </proc/diskstats
                e_rate $(((e_r-${e_r0:-e_r})/2)); echo "read=$e_v"; e_rate $(((e_w-${e_w0:-e_w})/2)); echo "written=$e_v"
                e_rate $((e_rn-${e_rn0:-e_rn})); echo "reads=$e_v"; e_rate $((e_wn-${e_wn0:-e_wn})); echo "writes=$e_v"
                e_r0=$e_r e_w0=$e_w e_rn0=$e_rn e_wn0=$e_wn
                if [ $e_dt -gt 0 ]; then e_b=$((e_b*100/e_dt)); [ $e_b -le 1000 ] || e_b=1000; e_tenths $e_b; else e_v=; fi; echo "busy=$e_v"; }
                e_sample >/dev/null; e_nap

                """#))

    package static let network = BuiltinSampler(
        "network",
        "traffic of the network devices, from /proc/net/dev; where there are real ones the virtual are left out",
        [
            Field("received", "KiB/s", "by all devices"), Field("sent", "KiB/s", "by all devices"),
            Field("packets_in", "1/s", "received"), Field("packets_out", "1/s", "sent"),
            Field("errors", nil, "since the boot, both ways"), Field("drops", nil, "since the boot, both ways"),
        ],
        .shell(
            library + #"""
                e_links=; for e_d in /sys/class/net/*; do [ ! -e "$e_d/device" ] || e_links="$e_links ${e_d##*/} "; done
                e_rate() { if [ $e_dt -gt 0 ]; then e_v=$((($1*100+e_dt/2)/e_dt)); else e_v=; fi; }
                e_sample() { e_now; e_dt=$((e_t-${e_was:-e_t})) e_was=$e_t e_r=0 e_s=0 e_rn=0 e_sn=0 e_bad=0 e_lost=0
                while IFS=: read -r e_n e_l; do e_n=${e_n##* }; [ -n "$e_l" ] && [ "$e_n" != lo ] || continue
                case $e_n in *"|"*) continue ;; esac
                case $e_links in "") ;; *" $e_n "*) ;; *) continue ;; esac
                set -- $e_l; e_r=$((e_r+$1)) e_rn=$((e_rn+$2)) e_s=$((e_s+$9)) e_bad=$((e_bad+$3+${11})) e_lost=$((e_lost+$4+${12}))
                e_sn=$((e_sn+${10})); done </proc/net/dev
                e_rate $(((e_r-${e_r0:-e_r})/1024)); echo "received=$e_v"; e_rate $(((e_s-${e_s0:-e_s})/1024)); echo "sent=$e_v"
                e_rate $((e_rn-${e_rn0:-e_rn})); echo "packets_in=$e_v"; e_rate $((e_sn-${e_sn0:-e_sn})); echo "packets_out=$e_v"
                e_r0=$e_r e_s0=$e_s e_rn0=$e_rn e_sn0=$e_sn; echo "errors=$e_bad"; echo "drops=$e_lost"; }
                e_sample >/dev/null; e_nap

                """#))
}
