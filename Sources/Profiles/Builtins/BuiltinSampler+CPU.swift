extension BuiltinSampler {
    package static let cpu = BuiltinSampler(
        "cpu", "load of the processor, from /proc/stat (proc(5)); in the log also core0, core1, …: the usage of each",
        [
            Field("usage", "%", "time not idle"), Field("user", "%", "in programs"),
            Field("system", "%", "in the kernel"),
            Field("iowait", "%", "idle while waiting for a disk"),
            Field("steal", "%", "taken by the host of a virtual machine"),
            Field("load1", nil, "runnable processes, mean of a minute"),
            Field("running", nil, "processes that run now"),
        ],
        .shell(
            library + #"""
                e_share() { if [ "$e_all" -gt 0 ]; then e_tenths $(((1000*$1+e_all/2)/e_all)); else e_v=; fi; }
                e_sample() { e_out=
                while read -r e_n e_a e_b e_c e_d e_e e_g e_h e_i e_x; do case $e_n in cpu*) ;; *) break ;; esac
                e_i=${e_i:-0}; eval "e_old=\${e_last_$e_n:-0 0 0 0 0 0}"
                eval "e_last_$e_n='$((e_a+e_b)) $((e_c+e_g+e_h)) $e_d $e_e $e_i'"
                set -- $e_old; e_us=$((e_a+e_b-$1)) e_sy=$((e_c+e_g+e_h-$2)) e_id=$((e_d-$3)) e_wa=$((e_e-$4)) e_st=$((e_i-$5))
                [ $e_id -ge 0 ] || e_id=0; [ $e_wa -ge 0 ] || e_wa=0
                e_all=$((e_us+e_sy+e_id+e_wa+e_st)); e_share $((e_us+e_sy+e_st))
                if [ "$e_n" = cpu ]; then echo "usage=$e_v"; e_share $e_us; echo "user=$e_v"; e_share $e_sy; echo "system=$e_v"
                e_share $e_wa; echo "iowait=$e_v"; e_share $e_st; echo "steal=$e_v"
                else e_out="$e_out core${e_n#cpu}=$e_v"; fi; done </proc/stat
                read -r e_a e_b e_c e_d e_x </proc/loadavg; echo "load1=$e_a"; echo "running=${e_d%/*}"; echo "${e_out# }"; }
                e_sample >/dev/null; e_nap

                """#))

    package static let memory = BuiltinSampler(
        "memory", "memory, from /proc/meminfo (proc(5))",
        [
            Field("used", "MiB", "all but what is available"),
            Field("available", "MiB", "for new programs, without swapping"),
            Field("free", "MiB", "unused"), Field("cached", "MiB", "copies of files"),
            Field("swap_used", "MiB", "swapped out"),
            Field("used_percent", "%", "share of the used"),
        ],
        .shell(
            library + #"""
                e_sample() { e_total=0 e_free=0 e_ava= e_buf=0 e_cache=0 e_swap=0 e_sfree=0
                while read -r e_k e_a e_x; do case $e_k in
                MemTotal:) e_total=$e_a ;; MemFree:) e_free=$e_a ;; MemAvailable:) e_ava=$e_a ;; Buffers:) e_buf=$e_a ;;
                Cached:) e_cache=$e_a ;; SwapTotal:) e_swap=$e_a ;; SwapFree:) e_sfree=$e_a ;; esac; done </proc/meminfo
                [ -n "$e_ava" ] || e_ava=$((e_free+e_buf+e_cache)); e_used=$((e_total-e_ava))
                for e_k in "used $e_used" "available $e_ava" "free $e_free" "cached $e_cache" "swap_used $((e_swap-e_sfree))"; do
                e_tenths $((${e_k#* }*10/1024)); echo "${e_k%% *}=$e_v"; done
                e_tenths $((e_used*1000/(e_total>0?e_total:1))); echo "used_percent=$e_v"; }

                """#))

    package static let frequency = BuiltinSampler(
        "frequency",
        "clocks, from cpufreq and devfreq, else /proc/cpuinfo; in the log also core0, core1, …: that of each",
        [
            Field("cpu", "MHz", "mean of the cores"), Field("cpu_min", "MHz", "the slowest core"),
            Field("cpu_max", "MHz", "the fastest core"), Field("gpu", "MHz", "the GPU"),
        ],
        .shell(
            library + #"""
                e_take() { e_s=$((e_s+$1)) e_c=$((e_c+1)); [ "$1" -ge "$e_lo" ] && [ "$e_lo" -gt 0 ] || e_lo=$1
                [ "$1" -le "$e_hi" ] || e_hi=$1; e_out="$e_out core$2=$(($1/1000))"; }
                e_gpus=; for e_d in /sys/class/devfreq/* /sys/devices/*gpu*/devfreq/* /sys/class/drm/card0/gt_act_freq_mhz; do
                case $e_d in *gpu*|*mali*|*ga10b*|*gv11b*|*gp10b*|*gm20b*|*kgsl*|*gt_act*) e_gpus="$e_gpus $e_d" ;; esac; done
                e_sample() { e_s=0 e_c=0 e_lo=0 e_hi=0 e_out= e_g=
                for e_d in /sys/devices/system/cpu/cpu[0-9]*; do e_a=
                [ -r "$e_d/cpufreq/scaling_cur_freq" ] && read -r e_a <"$e_d/cpufreq/scaling_cur_freq" && [ -n "$e_a" ] || continue
                e_take "$e_a" "${e_d##*/cpu}"; done
                if [ $e_c -eq 0 ]; then while IFS=: read -r e_k e_a; do case $e_k in "cpu MHz"*) e_a=${e_a# }
                e_take "${e_a%.*}000" "$e_c" ;; esac; done </proc/cpuinfo; fi
                for e_d in $e_gpus; do e_a=; if [ -r "$e_d/cur_freq" ]; then read -r e_a <"$e_d/cur_freq"; e_a=$((${e_a:-0}/1000000))
                elif [ -f "$e_d" ]; then read -r e_a <"$e_d"; fi; [ -z "$e_a" ] || { e_g=$e_a; break; }; done
                if [ $e_c -gt 0 ]; then echo "cpu=$((e_s/e_c/1000))"; echo "cpu_min=$((e_lo/1000))"; echo "cpu_max=$((e_hi/1000))"
                else echo "cpu="; echo "cpu_min="; echo "cpu_max="; fi; echo "gpu=$e_g"; echo "${e_out# }"; }

                """#))
}
