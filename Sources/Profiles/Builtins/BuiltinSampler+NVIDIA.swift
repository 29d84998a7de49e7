extension BuiltinSampler {
    package static let nvidia = BuiltinSampler(
        "nvidia",
        "the first GPU, by nvidia-smi, which costs a process a sample; in the log also gpu1.FIELD, gpu2.FIELD, …: the others",
        [
            Field("utilization", "%", "time in which a kernel ran"),
            Field("memory_utilization", "%", "time in which memory was used"),
            Field("memory_used", "MiB", "allocated"), Field("memory_total", "MiB", "there is"),
            Field("temperature", "degC", "core"),
            Field("power", "W", "drawn"), Field("clock_sm", "MHz", "of the multiprocessors"),
            Field("clock_memory", "MHz", "of the memory"),
            Field("fan", "%", "of its speed"),
        ],
        .shell(
            library + #"""
                e_sample() { e_g=0; e_r=0; e_all=$(nvidia-smi --format=csv,noheader,nounits \
                --query-gpu=utilization.gpu,utilization.memory,memory.used,memory.total,temperature.gpu,power.draw,clocks.sm,clocks.mem,fan.speed 2>&1) || e_r=$?
                case $e_all in *", "*) ;; *) echo "$e_all"; [ $e_r -ne 0 ] || e_r=1; return $e_r ;; esac
                while read -r e_l; do e_p=; [ $e_g -eq 0 ] || e_p=gpu$e_g.
                for e_k in utilization memory_utilization memory_used memory_total temperature power clock_sm clock_memory fan; do
                e_a=${e_l%%, *} e_l=${e_l#*, }; case $e_a in *[!0-9.]*) e_a= ;; esac; echo "$e_p$e_k=$e_a"; done; e_g=$((e_g+1)); done <<ECR
                $e_all
                ECR
                return $e_r; }

                """#))

    /// Its lines differ from board to board: `GR3D_FREQ 12%@305`, `CPU [3%@1479,off]`, `tj@45.5C`, `VDD_IN 4812mW/4812mW`, and
    /// on older boards `POM_5V_IN 1532/1532`.
    package static let tegrastats = BuiltinSampler(
        "tegrastats", "NVIDIA Jetson's own monitor; in the log also temp.NAME and rail.NAME: each sensor",
        [
            Field("cpu", "%", "mean of the cores that are on"), Field("gpu", "%", "load of the GPU"),
            Field("emc", "%", "load of the memory bus"),
            Field("ram_used", "MiB", "memory"), Field("ram_total", "MiB", "memory"),
            Field("swap_used", "MiB", "swapped out"),
            Field("temperature_cpu", "degC", "processor"), Field("temperature_gpu", "degC", "graphics"),
            Field("temperature_max", "degC", "the warmest sensor but the PMIC, which shows a constant on old boards"),
            Field("power_total", "mW", "the rail that feeds the board (its name ends with _IN), else the sum of all"),
            Field("power_cpu", "mW", "rail of the processor"),
            Field("power_gpu", "mW", "rail of the GPU"), Field("power_soc", "mW", "rail of the chip's other parts"),
        ],
        .stream(
            #"""
            exec 4>&1; e_r=$( exec 3>&1; { tegrastats --interval MILLISECONDS 3>&- 4>&-; echo $? >&3; } | { set -f
            while read -r e_line; do e_p= e_cpu= e_gpu= e_emc= e_ru= e_rt= e_su= e_tc= e_tg= e_tm= e_pt= e_sum= e_pc= e_pg= e_ps= e_out=
            for e_w in $e_line; do case $e_p in
            RAM) e_ru=${e_w%%/*}; e_rt=${e_w#*/}; e_rt=${e_rt%%[!0-9]*} ;; SWAP) e_su=${e_w%%/*} ;;
            GR3D_FREQ) e_gpu=${e_w%%%*} ;; EMC_FREQ) e_emc=${e_w%%%*} ;;
            CPU) case $e_w in "["*) e_l=${e_w#[}; e_l=${e_l%]}, e_s=0 e_c=0; while [ -n "$e_l" ]; do e_a=${e_l%%,*} e_l=${e_l#*,}; e_a=${e_a%%%*}
            case $e_a in ""|*[!0-9]*) ;; *) e_s=$((e_s+e_a)) e_c=$((e_c+1)) ;; esac; done; [ $e_c -eq 0 ] || e_cpu=$((e_s/e_c)) ;; esac ;;
            POM_*|VDD_*|*_IN|VIN*) case $e_w in [0-9]*/[0-9]*) e_a=${e_w%%/*}; e_a=${e_a%mW}; case $e_a in ""|*[!0-9]*) ;; *) e_out="$e_out rail.$e_p=$e_a" e_sum=$((${e_sum:-0}+e_a))
            case $e_p in *_IN) e_pt=$e_a ;; *GPU_SOC*) e_pg=$e_a ;; *CPU*) e_pc=$e_a ;; *GPU*) e_pg=$e_a ;; *SOC*) e_ps=$e_a ;; esac ;; esac ;; esac ;;
            esac
            case $e_w in [!0-9[]*@*C) e_n=${e_w%@*} e_a=${e_w##*@}; e_a=${e_a%C}; case $e_a in ""|*[!0-9.-]*) ;; -[0-9]*) ;; *) e_out="$e_out temp.$e_n=$e_a"
            case $e_n in [cC][pP][uU]*) e_tc=$e_a ;; [gG][pP][uU]*) e_tg=$e_a ;; esac
            case $e_n in PMIC*) ;; *) [ -n "$e_tm" ] && [ "${e_tm%%.*}" -ge "${e_a%%.*}" ] || e_tm=$e_a ;; esac ;; esac ;; esac
            e_p=$e_w; done; e_pt=${e_pt:-$e_sum}
            e_l=; for e_n in cpu gpu emc ru rt su tc tg tm pt pc pg ps; do eval "e_a=\$e_$e_n"; case $e_n in ru) e_n=ram_used ;; rt) e_n=ram_total ;;
            su) e_n=swap_used ;; tc) e_n=temperature_cpu ;; tg) e_n=temperature_gpu ;; tm) e_n=temperature_max ;; pt) e_n=power_total ;;
            pc) e_n=power_cpu ;; pg) e_n=power_gpu ;; ps) e_n=power_soc ;; esac; [ -z "$e_a" ] || e_l="$e_l $e_n=$e_a"; done
            echo "${e_l# }$e_out"
            done; } >&4 ); exit "${e_r:-137}"
            """#))
}
